import { STORE_TIME } from "../redis/lua.ts";

/**
 * The scripts of the control log. Each is one atomic step; all keys carry one hash tag. An entry is `version at JSON`.
 * The hash holds: version and at (of the latest entry), nonce (of whoever wrote it), base (the version of the snapshot,
 * after which the list begins), snapshot.
 */

const NOW = `${STORE_TIME}
local now = string.format('%.0f', storeTime())
`;

/**
 * KEYS: list, hash. ARGV: version and time of the latest entry that is known ('0', '0': none). Returns Redis's time, then
 * 'same'; or 'more' and the entries after that one; or 'anew', base, snapshot ('' for none) and all entries.
 */
export const READ = `${NOW}
local held = redis.call('HMGET', KEYS[2], 'version', 'at', 'base')
local version, base, known = tonumber(held[1] or '0'), tonumber(held[3] or '0'), tonumber(ARGV[1])
if known == version and ARGV[2] == (held[2] or '0') then return {now, 'same'} end
local from = known - base
if from > 0 and known < version then
  local entry = redis.call('LINDEX', KEYS[1], from - 1)
  local start = ARGV[1] .. ' ' .. ARGV[2] .. ' '
  if entry and string.sub(entry, 1, #start) == start then
    local answer = {now, 'more'}
    for _, line in ipairs(redis.call('LRANGE', KEYS[1], from, -1)) do answer[#answer + 1] = line end
    return answer
  end
end
local answer = {now, 'anew', string.format('%.0f', base), redis.call('HGET', KEYS[2], 'snapshot') or ''}
for _, line in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do answer[#answer + 1] = line end
return answer
`;

/**
 * KEYS: list, hash. ARGV: the version it was decided on, a nonce, the JSON, the channel; then how many of the oldest
 * entries a snapshot stands for (0: none) and that snapshot. Returns the entry, also where this one was written before:
 * its answer was lost, and it was sent again. Returns '' where another version is the latest, and writes nothing.
 */
export const APPEND = `${NOW}
local held = redis.call('HMGET', KEYS[2], 'version', 'nonce', 'base')
if held[2] == ARGV[2] then return redis.call('LINDEX', KEYS[1], -1) end
local version = tonumber(held[1] or '0')
if version ~= tonumber(ARGV[1]) then return '' end
version = string.format('%.0f', version + 1)
local entry = version .. ' ' .. now .. ' ' .. ARGV[3]
redis.call('RPUSH', KEYS[1], entry)
redis.call('HSET', KEYS[2], 'version', version, 'at', now, 'nonce', ARGV[2])
if tonumber(ARGV[5]) > 0 then
  redis.call('LTRIM', KEYS[1], ARGV[5], -1)
  local base = string.format('%.0f', tonumber(held[3] or '0') + tonumber(ARGV[5]))
  redis.call('HSET', KEYS[2], 'base', base, 'snapshot', ARGV[6])
end
redis.call('PUBLISH', ARGV[4], version)
return entry
`;

/** KEYS: the lease. ARGV: who wants it, for how long (milliseconds). Returns Redis's time, and whether it is his now. */
export const LEAD = `${NOW}
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return {now, 0} end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return {now, 1}
`;

/** KEYS: figures of a step. ARGV: how many went well, failed, were slow; time to keep (milliseconds). */
export const COUNT = `
redis.call('HINCRBY', KEYS[1], 'ok', ARGV[1])
redis.call('HINCRBY', KEYS[1], 'failed', ARGV[2])
redis.call('HINCRBY', KEYS[1], 'slow', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
`;
