import { describe } from "vitest";
import { createAuthority } from "../../src/testing/index.ts";
import { sendgridSubject } from "./sendgrid-subject.ts";
import { testConformance } from "./suite.ts";

const authority = await createAuthority();

describe("sendgrid", () => {
  testConformance(sendgridSubject(authority));
});
