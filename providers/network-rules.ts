import type { Rule } from "../src/core/index.ts";

const nodeErrors = "Node.js 20 documentation, Errors: common system errors";
const tlsErrors = "Node.js 20 documentation, TLS: X509 certificate error codes";

const notFound = ["ENOTFOUND", "ENODATA", "EDNS"];
const resolverFailed = ["EAI_AGAIN", "EAI_FAIL", "ESERVFAIL", "EREFUSED", "ETIMEOUT", "ECANCELLED"];
const unreachable = ["EHOSTUNREACH", "ENETUNREACH", "ENETDOWN", "EHOSTDOWN", "EADDRNOTAVAIL"];
const timedOut = ["ETIMEDOUT", "ESOCKETTIMEDOUT", "ECONNABORTED"];
const lost = ["ECONNRESET", "EPIPE", "ECONNECTION", "ESOCKET", "ERR_STREAM_PREMATURE_CLOSE"];
const certificateUntrusted = [
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "CERT_UNTRUSTED",
  "CERT_SIGNATURE_FAILURE",
  "CERT_REJECTED",
  "INVALID_CA",
  "INVALID_PURPOSE",
  "CERT_CHAIN_TOO_LONG",
  "CERT_REVOKED",
];

/** Codes under which Node.js and nodemailer report a handshake that failed. */
const handshakeFailed = [
  "ETLS",
  "EREQUIRETLS",
  "EPROTO",
  "ERR_SSL_WRONG_VERSION_NUMBER",
  "ERR_SSL_PACKET_LENGTH_TOO_LONG",
  "ERR_SSL_HTTP_REQUEST",
  "ERR_SSL_UNSUPPORTED_PROTOCOL",
  "ERR_SSL_VERSION_TOO_LOW",
  "ERR_SSL_NO_PROTOCOLS_AVAILABLE",
  "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION",
  "ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR",
  "ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE",
  "ERR_SSL_NO_SHARED_CIPHER",
  "ERR_TLS_HANDSHAKE_TIMEOUT",
  "ERR_TLS_INVALID_PROTOCOL_VERSION",
];

/**
 * What it means when no reply came at all: the error codes of Node.js. They are the same whatever the provider, and they
 * stand at the end of each provider's rules. After the content went out none of these is asked: that is uncertain.
 */
export const networkRules: readonly Rule[] = [
  {
    id: "attempt-abandoned",
    when: { errorCode: ["ABORTED", "EABORT", "ABORT_ERR", "ERR_CANCELED"] },
    cause: "outage",
    meaning: "the attempt was given up before the content went out, because it took too long or the gate shut",
    source: "Mailover's own limits; nodemailer 10.6, CHANGELOG: EABORT",
  },
  {
    id: "dns-name-not-found",
    when: { errorCode: notFound },
    cause: "outage",
    meaning: "the provider's host name has no address",
    remedy:
      "If this provider never worked, correct its host in the configuration; else look at this machine's resolver.",
    source: nodeErrors,
  },
  {
    id: "dns-resolver-failed",
    when: { errorCode: resolverFailed },
    cause: "outage",
    meaning: "the resolver of this machine did not answer",
    remedy: "Look at the resolvers named in /etc/resolv.conf, or in a container at those of its network.",
    source: "Node.js 20 documentation, DNS: error codes",
  },
  {
    id: "connection-refused",
    when: { errorCode: "ECONNREFUSED" },
    cause: "outage",
    meaning: "nothing listens at the provider's host and port",
    remedy: "If this provider never worked, check host and port in the configuration.",
    source: nodeErrors,
  },
  {
    id: "network-unreachable",
    when: { errorCode: unreachable },
    cause: "outage",
    meaning: "there is no way through the network to the provider",
    remedy: "Check that this machine's firewall and route let it reach the provider's host and port.",
    source: nodeErrors,
  },
  {
    id: "timed-out",
    when: { errorCode: timedOut },
    cause: "outage",
    meaning: "the provider did not answer in time, before the content went out",
    source: nodeErrors,
  },
  {
    id: "tls-certificate-expired",
    when: { errorCode: ["CERT_HAS_EXPIRED", "CERT_NOT_YET_VALID"] },
    cause: "outage",
    meaning: "the provider's TLS certificate is out of date, or this machine's clock is wrong",
    remedy: "Check this machine's clock with timedatectl; if it is right, the provider has to renew its certificate.",
    source: tlsErrors,
  },
  {
    id: "tls-certificate-untrusted",
    when: { errorCode: certificateUntrusted },
    cause: "outage",
    meaning: "the provider's TLS certificate is not signed by an authority this machine trusts",
    remedy:
      "If the provider, or a proxy in between, uses its own authority, name its certificate in the provider's setting ca; else do not trust this connection.",
    source: tlsErrors,
  },
  {
    id: "tls-certificate-other-name",
    when: { errorCode: ["ERR_TLS_CERT_ALTNAME_INVALID", "HOSTNAME_MISMATCH"] },
    cause: "outage",
    meaning: "the provider's TLS certificate is for another host name",
    remedy: "Set the provider's host to the name its certificate is for: never to an address or an alias.",
    source: tlsErrors,
  },
  {
    id: "tls-not-spoken",
    when: { text: /wrong version number|packet length too long|http request/i, errorCode: handshakeFailed },
    cause: "outage",
    meaning: "what answers on this port does not begin with TLS",
    remedy: "On port 587 or 25 set tls to required (STARTTLS); implicit TLS is for port 465.",
    source: "OpenSSL 3 error strings: SSL_R_WRONG_VERSION_NUMBER; thread nodemailer/nodemailer#855",
  },
  {
    id: "tls-version-refused",
    when: {
      text: /unsupported protocol|protocol version|version too low|no protocols available/i,
      errorCode: handshakeFailed,
    },
    cause: "outage",
    meaning: "the provider and Mailover have no TLS version in common",
    remedy: "Update the provider's server to TLS 1.2 or later, or lower minTlsVersion if you accept the risk.",
    source: "OpenSSL 3 error strings: SSL_R_UNSUPPORTED_PROTOCOL; RFC 8996",
  },
  {
    id: "tls-failed",
    when: { errorCode: handshakeFailed },
    cause: "outage",
    meaning: "the TLS handshake with the provider failed",
    source: "Node.js 20 documentation, Errors: OpenSSL error codes; nodemailer 10.6: ETLS",
  },
  {
    id: "connection-lost",
    when: { errorCode: lost },
    cause: "outage",
    meaning: "the provider closed the connection before the content went out",
    source: "Node.js 20 documentation, Errors; nodemailer 10.6: ECONNECTION, ESOCKET",
  },
  {
    id: "not-the-protocol",
    when: { errorCode: ["EPROTOCOL", "HPE_INVALID_CONSTANT", "HPE_INVALID_VERSION"] },
    cause: "outage",
    meaning: "what answers is not a server of this protocol",
    remedy: "Check host and port; a proxy or virus scanner on the way may be the one that answers.",
    source: "nodemailer 10.6: EPROTOCOL; threads nodemailer/nodemailer#855, #952",
  },
  {
    id: "own-descriptors-used-up",
    when: { errorCode: ["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"] },
    cause: "busy",
    meaning: "this machine, not the provider, has no file descriptors or buffers left",
    remedy: "Raise the limit of open files (ulimit -n, or LimitNOFILE= of the service) or lower the connections.",
    source: `${nodeErrors}; thread sendgrid/sendgrid-nodejs#1448`,
  },
];
