import type { ProviderDefinition } from "../src/core/index.ts";
import { microsoft365 } from "./microsoft365/index.ts";
import { sendgrid } from "./sendgrid/index.ts";
import { smtp } from "./smtp/index.ts";

/** Every kind of provider there is. A new one is a folder, one line here, and the conformance suite green. */
export const providerDefinitions: readonly ProviderDefinition[] = [microsoft365, sendgrid, smtp];
