/**
 * An enhanced mail system status code, `class.subject.detail` (RFC 3463), such as "4.7.0".
 * Class 4 means later, class 5 means never as it stands.
 */
export type EnhancedStatus = `${2 | 4 | 5}.${number}.${number}`;

const PATTERN = /\b([245])\.(\d{1,3})\.(\d{1,3})\b/;

/** The first enhanced status in a text, or null. Looks at the start only: host addresses look alike further on. */
export function parseEnhancedStatus(text: string): EnhancedStatus | null {
  const match = PATTERN.exec(text.slice(0, 20));
  return match === null ? null : (match[0] as EnhancedStatus);
}

/**
 * Whether a status is covered by a pattern: one code ("5.7.30"), a range of details ("4.7.500-699")
 * or any detail of a subject ("5.7.*").
 */
export function statusMatches(status: string, pattern: string): boolean {
  const [statusClass, statusSubject, statusDetail] = status.split(".");
  const [patternClass, patternSubject, patternDetail = ""] = pattern.split(".");
  if (statusClass !== patternClass || statusSubject !== patternSubject) return false;
  if (patternDetail === "*") return true;
  const [low, high = low] = patternDetail.split("-");
  const detail = Number(statusDetail);
  return detail >= Number(low) && detail <= Number(high);
}
