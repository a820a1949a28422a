import { describe } from "vitest";
import { createAuthority } from "../../src/testing/index.ts";
import { microsoft365Subject } from "./microsoft365-subject.ts";
import { testConformance } from "./suite.ts";

const authority = await createAuthority();

describe("microsoft365 with a client secret", () => {
  testConformance(microsoft365Subject(authority));
});
