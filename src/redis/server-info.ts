/** The fields of `INFO`: "redis_version" to "7.2.4". Names are those of the server. */
export type ServerInfo = ReadonlyMap<string, string>;

export function parseServerInfo(text: string): ServerInfo {
  const fields = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(":");
    if (colon > 0 && !line.startsWith("#")) fields.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return fields;
}
