import { STORE_TIME } from "../redis/lua.ts";

/**
 * The scripts of the ledger. Each is one atomic step on the two keys of one message: KEYS[1] its state (a hash: job,
 * digest, fence, step, stalls, status, open, provider, mark), KEYS[2] its log (a list of JSON). They run on Redis 6.2, on
 * Valkey, and on a Cluster, since both keys carry the message's id as hash tag.
 */

/**
 * The next fence: above the last one, and by Redis's clock, so that it is new also where Redis forgot the last one, as after
 * a power cut.
 */
const NEXT_FENCE = `${STORE_TIME}
local function nextFence()
  local fence = string.format('%.0f', math.max(storeTime(), (redis.call('HGET', KEYS[1], 'fence') or 0) + 1))
  redis.call('HSET', KEYS[1], 'fence', fence)
  return fence
end
`;

/**
 * Takes a message. ARGV: by, job, digest, how often it has stalled, and the event `message.received` for a message
 * not known yet. One that is another job's, or this job's with another digest, is left alone: returns '', that job, and
 * whether the digest is the same. Else returns fence, whether it was new, how often the job had stalled when it was taken
 * before, open attempt, its provider, its mark, then the log.
 */
export const TAKE = `${NEXT_FENCE}
if redis.call('EXISTS', KEYS[2]) == 0 then
  local fence = nextFence()
  redis.call('RPUSH', KEYS[2], ARGV[5])
  redis.call('HSET', KEYS[1], 'job', ARGV[2], 'digest', ARGV[3], 'step', 0, 'stalls', ARGV[4],
    'status', 'relaying', 'open', '', 'provider', '', 'mark', '0')
  return {fence, 1, ARGV[4], '', '', '0', ARGV[5]}
end
local s = redis.call('HMGET', KEYS[1], 'job', 'digest', 'stalls', 'open', 'provider', 'mark')
if s[1] ~= ARGV[2] or s[2] ~= ARGV[3] then return {'', s[1], s[2] == ARGV[3] and 1 or 0} end
local fence = nextFence()
redis.call('HSET', KEYS[1], 'step', 0, 'stalls', ARGV[4])
local answer = {fence, 0, s[3], s[4], s[5], s[6]}
for _, event in ipairs(redis.call('LRANGE', KEYS[2], 0, -1)) do answer[#answer + 1] = event end
return answer
`;

/**
 * Writes one step. ARGV: fence, step, how long both keys are kept from now on (milliseconds, `always`, or '' as they
 * are), number of events, the events, then fields of the
 * state and their values. Returns 1, also where this step was written before: its answer was lost, and it was sent again.
 * Returns 0 where the fence is another's, and writes nothing.
 */
export const WRITE = `
local held = redis.call('HMGET', KEYS[1], 'fence', 'step')
if held[1] ~= ARGV[1] then return 0 end
if tonumber(ARGV[2]) <= tonumber(held[2]) then return 1 end
local events = tonumber(ARGV[4])
for i = 5, 4 + events do redis.call('RPUSH', KEYS[2], ARGV[i]) end
redis.call('HSET', KEYS[1], 'step', ARGV[2], unpack(ARGV, 5 + events))
if ARGV[3] == 'always' then
  redis.call('PERSIST', KEYS[1])
  redis.call('PERSIST', KEYS[2])
elseif ARGV[3] ~= '' then
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  redis.call('PEXPIRE', KEYS[2], ARGV[3])
end
return 1
`;

/**
 * Ends a message from outside. ARGV: the event `message.received` for one not known yet, the event that ends it, its
 * status, time to keep, job, digest, then the statuses it may be ended from. Returns the status it had, '' for none,
 * whether an attempt was open, and whether it was done.
 */
export const INTERVENE = `${NEXT_FENCE}
local s = redis.call('HMGET', KEYS[1], 'status', 'open')
local status, open = s[1] or '', s[2] or ''
local allowed = status == ''
for i = 7, #ARGV do if status == ARGV[i] then allowed = true end end
if not allowed or open ~= '' then return {status, open, 0} end
if status == '' then
  redis.call('RPUSH', KEYS[2], ARGV[1])
  redis.call('HSET', KEYS[1], 'job', ARGV[5], 'digest', ARGV[6], 'stalls', 0)
end
nextFence()
redis.call('HSET', KEYS[1], 'step', 0, 'status', ARGV[3], 'open', '', 'provider', '', 'mark', '0')
redis.call('RPUSH', KEYS[2], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return {status, open, 1}
`;
