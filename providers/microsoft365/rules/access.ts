import type { Rule } from "../../../src/core/index.ts";

const ndr = "Learn, Email non-delivery reports and SMTP errors in Exchange Online (2026-01-07)";
const oauth = "Learn, Authenticate an IMAP, POP or SMTP connection using OAuth (read 2026-11-24)";
const smtpAuth = "Learn, Enable or disable authenticated client SMTP submission (read 2026-11-24)";
const hve = "Learn, Troubleshoot High Volume Email (read 2026-11-24)";

const useOauth =
  "Log in with OAuth: give this provider tenantId, clientId and a credential of Entra admin centre > App registrations > {app} > Certificates & secrets. Where the tenant still allows passwords: Set-AuthenticationPolicy -Identity {policy} -AllowBasicAuthSmtp";

/**
 * Why Exchange Online does not let us in. Some replies carry another one inside (`530 5.7.57 … Error: 535 5.7.139 …`):
 * the words are looked for, not the outer code.
 */
export const accessRules: readonly Rule[] = [
  {
    id: "smtp-auth-disabled-tenant",
    when: { text: /SmtpClientAuthentication is disabled for the Tenant/i },
    cause: "auth",
    meaning: "SMTP AUTH is switched off for the whole tenant; OAuth needs it on, too",
    remedy:
      "Exchange Online PowerShell, for this mailbox only: Set-CASMailbox -Identity {mailbox} -SmtpClientAuthenticationDisabled $false; or for all: Set-TransportConfig -SmtpClientAuthenticationDisabled $false",
    source: `${smtpAuth}; thread nodemailer/nodemailer#1484`,
  },
  {
    id: "smtp-auth-disabled-mailbox",
    when: { text: /SmtpClientAuthentication is disabled for the Mailbox/i },
    cause: "auth",
    meaning: "SMTP AUTH is switched off for this mailbox",
    remedy:
      "Exchange Online PowerShell: Set-CASMailbox -Identity {mailbox} -SmtpClientAuthenticationDisabled $false (up to an hour until it works)",
    source: `${smtpAuth}; thread nodemailer/nodemailer#1484`,
  },
  {
    id: "basic-auth-retired",
    when: { text: /basic authentication is not supported|\b5\.7\.30\b/i },
    cause: "auth",
    meaning: "Exchange Online no longer takes passwords for client submission, whatever the code says",
    remedy: useOauth,
    source: "Exchange Team Blog 4489835 (2026-01-27): 550 5.7.30",
  },
  {
    id: "basic-auth-disabled",
    when: { text: /basic authentication is disabled/i },
    cause: "auth",
    meaning: "logins with a password are switched off for this tenant or mailbox",
    remedy: useOauth,
    source: "threads nodemailer/nodemailer#1714, rpremraj/mailR#107",
  },
  {
    id: "security-defaults",
    when: { text: /security defaults policy/i },
    cause: "auth",
    meaning: "the tenant's security defaults forbid logins with a password",
    remedy: `Entra admin centre > Identity > Overview > Properties > Manage security defaults shows them. ${useOauth}`,
    source: "Learn, Security defaults in Microsoft Entra ID (read 2026-11-24)",
  },
  {
    id: "conditional-access",
    when: { text: /did not meet the criteria to be authenticated/i },
    cause: "auth",
    meaning: "Conditional Access or another policy blocks this login",
    remedy:
      "Entra admin centre > Monitoring & health > Sign-in logs > {the failed sign-in} > Conditional Access names the policy; exclude the app or mailbox there.",
    source: "thread nodemailer/nodemailer#1617",
  },
  {
    id: "credentials-incorrect",
    when: { text: /user credentials were incorrect/i },
    cause: "auth",
    meaning: "the password is wrong, or sign-in of this user is blocked",
    remedy:
      "Microsoft 365 admin centre > Users > Active users > {mailbox}: check Block sign-in, reset the password; better, log in with OAuth.",
    source: `${ndr}: 5.7.139`,
  },
  {
    id: "account-locked",
    when: { text: /account locked/i },
    cause: "auth",
    meaning: "smart lockout has locked the account; every further try makes it longer",
    remedy:
      "Stop other clients with an old password, wait, then see Entra admin centre > Monitoring & health > Sign-in logs for who tries.",
    source: "Learn, Microsoft Entra smart lockout (read 2026-11-24)",
  },
  {
    id: "account-issue",
    when: { text: /account has an issue/i },
    cause: "auth",
    meaning: "the account is blocked or restricted",
    remedy:
      "Microsoft Defender portal > Email & collaboration > Review > Restricted entities; and Exchange Online PowerShell: Get-BlockedSenderAddress -SenderAddress {mailbox}",
    source: `${ndr}: 5.7.139; texts seen in public threads of 2024`,
  },
  {
    id: "login-blocked",
    when: { text: /5\.7\.139/ },
    cause: "auth",
    meaning: "a policy of the tenant blocks this login",
    remedy:
      "Entra admin centre > Monitoring & health > Sign-in logs > {the failed sign-in} names the policy and the reason.",
    source: `${ndr}: 5.7.139`,
  },
  {
    id: "token-expired",
    when: { status: "5.7.142-143" },
    cause: "busy",
    meaning: "the access token is at its end; the next attempt brings a fresh one",
    source: hve,
  },
  {
    id: "token-without-permission",
    when: { status: "5.7.144" },
    cause: "auth",
    meaning: "the app's token lacks the permission to send by SMTP",
    remedy:
      "Entra admin centre > App registrations > {app} > API permissions: add Office 365 Exchange Online > Application > SMTP.SendAsApp and grant admin consent.",
    source: `${hve}; ${oauth}`,
  },
  {
    id: "xoauth2-malformed",
    when: { status: "5.5.121-126" },
    cause: "auth",
    meaning: "Exchange cannot read the login: the mailbox or the token in it is not what it expects",
    remedy:
      "Set mailbox of this provider to the primary address: Exchange Online PowerShell: Get-Mailbox -Identity {mailbox} | Format-List PrimarySmtpAddress",
    source: hve,
  },
  {
    id: "mailbox-not-accessible",
    when: { text: /mailbox cannot be accessed/i },
    cause: "auth",
    meaning: "the mailbox is missing, disabled or has no licence",
    remedy:
      "Exchange Online PowerShell: Get-Mailbox -Identity {mailbox} | Format-List AccountDisabled,SKUAssigned; licences: Microsoft 365 admin centre > Users > Active users > {mailbox} > Licenses and apps",
    source: "thread nodemailer/nodemailer#949",
  },
  {
    id: "starttls-removed",
    when: { text: /STARTTLS is required to send mail/i },
    cause: "auth",
    meaning:
      "the session is not encrypted, although the code says later: STARTTLS was not used or was taken out on the way",
    remedy:
      "Set tls to required. If it is: openssl s_client -starttls smtp -connect smtp.office365.com:587 must show Microsoft's certificate; a firewall that inspects SMTP takes STARTTLS out.",
    source: "thread apache/hertzbeat#2365",
  },
  {
    id: "login-mechanism-refused",
    when: { replyCode: 504, status: "5.7.4" },
    cause: "auth",
    meaning: "Exchange offers only LOGIN and XOAUTH2, only after STARTTLS, and only where SMTP AUTH is on",
    remedy:
      "Exchange Online PowerShell: Get-CASMailbox -Identity {mailbox} | Format-List SmtpClientAuthenticationDisabled; switch on with Set-CASMailbox -Identity {mailbox} -SmtpClientAuthenticationDisabled $false",
    source: `${smtpAuth}; thread tobychui/zoraxy#312`,
  },
  {
    id: "not-logged-in",
    when: { status: "5.7.57" },
    cause: "auth",
    meaning: "Exchange saw no successful login before the mail",
    remedy:
      "Exchange Online PowerShell: Set-CASMailbox -Identity {mailbox} -SmtpClientAuthenticationDisabled $false; then check the app's right with Test-ServicePrincipalAuthorization -Identity {clientId}",
    source: `${ndr}: 5.7.57; thread vilega/O365Troubleshooters#153`,
  },
  {
    id: "token-not-accepted",
    when: { stage: "auth", status: "5.7.3" },
    cause: "auth",
    meaning:
      "Exchange does not take the token for this mailbox: the service principal, its right on the mailbox, the scope or a licence is missing",
    remedy:
      "Exchange Online PowerShell: New-ServicePrincipal -AppId {clientId} -ObjectId {object id of the Enterprise application, not of the app registration}; Add-MailboxPermission -Identity {mailbox} -User {that object id} -AccessRights FullAccess; Set-CASMailbox -Identity {mailbox} -SmtpClientAuthenticationDisabled $false",
    source: `${oauth}; threads jstedfast/MailKit#1770, #1126`,
  },
];
