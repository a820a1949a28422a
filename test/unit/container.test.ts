import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";
import { parse } from "yaml";

const root = join(import.meta.dirname, "../..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");

type Service = {
  image?: string;
  command?: string[];
  container_name?: string;
  ports?: string[];
  depends_on?: Record<string, { condition: string }>;
  environment?: Record<string, string>;
  secrets?: string[];
  healthcheck?: { test: string[] };
  stop_grace_period?: string;
  volumes?: string[];
};
type Compose = {
  services: Record<string, Service>;
  secrets: Record<string, { file: string }>;
  volumes: Record<string, null>;
};

const composeText = read("docker-compose.yml");
const compose = parse(composeText) as Compose;
const { redis, gateway } = compose.services;

describe("docker-compose.yml", () => {
  test("keeps mail in Redis: on disk, on a volume, never evicted", () => {
    const command = redis?.command?.join(" ");
    expect(command).toContain("--appendonly yes");
    expect(command).toContain("--maxmemory-policy noeviction");
    expect(redis?.volumes).toEqual(["redis-data:/data"]);
    expect(compose.volumes).toHaveProperty("redis-data");
    expect(redis?.ports?.every((port) => port.startsWith("127.0.0.1:"))).toBe(true);
  });

  test("starts gateways, as many as wanted, once Redis answers", () => {
    expect(gateway?.container_name).toBeUndefined();
    expect(gateway?.ports).toBeUndefined();
    expect(gateway?.depends_on?.["redis"]?.condition).toBe("service_healthy");
    expect(redis?.healthcheck?.test.at(-1)).toBe("ping");
  });

  test("gives a gateway longer to stop than it takes", () => {
    const { delivery } = parse(read("config/default.yaml")) as { delivery: { shutdownMs: string } };
    const seconds = (text: string | undefined): number => Number(/^(\d+)s$/.exec(text ?? "")?.[1]);
    expect(seconds(gateway?.stop_grace_period)).toBeGreaterThan(seconds(delivery.shutdownMs));
  });

  test("brings secrets as files only, and each only where .env names its file", () => {
    expect(gateway?.secrets?.toSorted()).toEqual(Object.keys(compose.secrets).toSorted());
    for (const [name, { file }] of Object.entries(compose.secrets)) {
      const variable = `${name.toUpperCase().replaceAll("-", "_")}_FILE`;
      expect(file).toBe(`\${${variable}:-/dev/null}`);
      expect(gateway?.environment?.[variable]).toBe(`\${${variable}:+/run/secrets/${name}}`);
    }
    const names = Object.keys(gateway?.environment ?? {});
    expect(names.filter((name) => /(SECRET|PASSWORD|KEY)$/.test(name))).toEqual([]);
  });

  test("uses variables that Mailover knows and .env.example explains", () => {
    const explained = new Set([...read(".env.example").matchAll(/^#?([A-Z][A-Z0-9_]+)=/gm)].map((match) => match[1]));
    const used = [...composeText.matchAll(/\$\{([A-Z0-9_]+)/g)].map((match) => match[1]);
    const set = Object.keys(gateway?.environment ?? {});
    expect([...new Set([...used, ...set])].filter((name) => !explained.has(name))).toEqual([]);

    const mapped = read("config/custom-environment-variables.yaml");
    const isKnown = (name: string): boolean =>
      mapped.includes(name.replace(/_FILE$/, "")) || name.startsWith("MAILOVER_");
    expect(set.filter((name) => !isKnown(name))).toEqual(["NODE_ENV"]);
  });
});

describe("Dockerfile", () => {
  const text = read("Dockerfile");
  const ignored = read(".dockerignore").split("\n");

  test("copies what is there, and what .dockerignore lets through", () => {
    const copies = [...text.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap((match) => (match[1] ?? "").split(" "));
    expect(copies).toContain("src");
    expect(copies.filter((path) => !existsSync(join(root, path)))).toEqual([]);
    expect(copies.filter((path) => !ignored.includes(`!${path}`))).toEqual([]);
    expect(ignored).toContain("config/local*.yaml");
  });

  test("runs the built command as a plain user, and stops by a signal that it handles", () => {
    const { bin } = JSON.parse(read("package.json")) as { bin: { mailover: string } };
    const last = text.slice(text.lastIndexOf("FROM "));
    expect(last).toMatch(/^USER node$/m);
    expect(last).toMatch(/^STOPSIGNAL SIGTERM$/m);
    expect(last).toContain(`ENTRYPOINT ["node", "${bin.mailover}"]`);
    expect(last).toContain(`CMD ["node", "${bin.mailover}", "health"]`);
  });
});
