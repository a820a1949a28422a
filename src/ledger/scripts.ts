/**
 * The scripts of the ledger. Each is one atomic step on the two keys of one message: KEYS[1] its state (a hash: fence,
 * job, digest, by, status, open, provider, mark), KEYS[2] its log (a list of JSON). They run on Redis 6.2, on Valkey, and on a
 * Cluster, since both keys carry the message's id as hash tag.
 */

/**
 * Takes a message. ARGV: by, job, digest, and the event `message.received` for one not known yet. One that is another
 * job's is left alone: returns '', that job, and whether the digest is the same. Else returns fence, whether it was new,
 * status, open attempt, its provider, its mark, then the log.
 */
export const TAKE = `
local new = redis.call('EXISTS', KEYS[2]) == 0
if not new then
  local owner = redis.call('HMGET', KEYS[1], 'job', 'digest')
  if owner[1] ~= ARGV[2] then return {'', owner[1], owner[2] == ARGV[3] and 1 or 0} end
end
local fence = redis.call('HINCRBY', KEYS[1], 'fence', 1)
redis.call('HSET', KEYS[1], 'by', ARGV[1])
if new then
  redis.call('RPUSH', KEYS[2], ARGV[4])
  redis.call('HSET', KEYS[1], 'job', ARGV[2], 'digest', ARGV[3], 'status', 'relaying', 'open', '', 'provider', '', 'mark', '0')
end
local s = redis.call('HMGET', KEYS[1], 'status', 'open', 'provider', 'mark')
local answer = {fence, new and 1 or 0, s[1], s[2], s[3], s[4]}
for _, event in ipairs(redis.call('LRANGE', KEYS[2], 0, -1)) do answer[#answer + 1] = event end
return answer
`;

/**
 * Writes one step. ARGV: fence, time to keep in milliseconds or '', number of events, the events, then fields of the
 * state and their values. Returns 1, or 0 where the fence is another's and nothing was written.
 */
export const WRITE = `
if redis.call('HGET', KEYS[1], 'fence') ~= ARGV[1] then return 0 end
local events = tonumber(ARGV[3])
for i = 4, 3 + events do redis.call('RPUSH', KEYS[2], ARGV[i]) end
redis.call('HSET', KEYS[1], unpack(ARGV, 4 + events))
if ARGV[2] ~= '' then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  redis.call('PEXPIRE', KEYS[2], ARGV[2])
else
  redis.call('PERSIST', KEYS[1])
  redis.call('PERSIST', KEYS[2])
end
return 1
`;

/**
 * Ends a message from outside. ARGV: by, the event `message.received` for one not known yet, the event that ends it, its
 * status, time to keep, job, digest, then the statuses it may be ended from. Returns the status it had, '' for none,
 * whether an attempt was open, and whether it was done.
 */
export const INTERVENE = `
local s = redis.call('HMGET', KEYS[1], 'status', 'open')
local status, open = s[1] or '', s[2] or ''
local allowed = status == ''
for i = 8, #ARGV do if status == ARGV[i] then allowed = true end end
if not allowed or open ~= '' then return {status, open, 0} end
if status == '' then
  redis.call('RPUSH', KEYS[2], ARGV[2])
  redis.call('HSET', KEYS[1], 'job', ARGV[6], 'digest', ARGV[7])
end
redis.call('HINCRBY', KEYS[1], 'fence', 1)
redis.call('HSET', KEYS[1], 'by', ARGV[1], 'status', ARGV[4], 'open', '', 'provider', '', 'mark', '0')
redis.call('RPUSH', KEYS[2], ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
redis.call('PEXPIRE', KEYS[2], ARGV[5])
return {status, open, 1}
`;
