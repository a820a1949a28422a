import { CALENDAR } from "./script-calendar.ts";
import { FRAME } from "./script-frame.ts";

/**
 * The scripts of a provider's limits; that which asks for a message is in script-reserve.ts. Each is one atomic step. They
 * run on Redis 6.2, on Valkey, and on a Cluster. An attempt has a token of its own, so that a script that is sent twice,
 * since its answer was lost, counts once.
 */

/**
 * An attempt has ended. arg: token, '1' where it counts as sent, recipients, milliseconds from its slot to its end, the name
 * of its connection where that is closed by now, or ''. Returns 1, or 0 where it was known, or its lease had run out.
 */
export const END = `${FRAME}${CALENDAR}
local now = instant()
local token, sent, recipients = arg(1), arg(2) == '1', tonumber(arg(3))
local lease = tonumber(ARGV[10])
if arg(5) ~= '' then redis.call('ZREM', CONNECTIONS, arg(5)) end
local lane, leaseEndsAt = nil, nil
for i = 1, 3 do
  local score = tonumber(redis.call('ZSCORE', use(i), token) or nil)
  if score then lane, leaseEndsAt = i, score end
end
if not lane or leaseEndsAt <= now then return 0 end
local limit = limitNow(now)
if sent and limit then
  -- One more, since the instant of the end was rounded down.
  redis.call('ZADD', use(lane), now + 1, token)
  local took, known = math.min(tonumber(arg(4)), 5000), redis.call('HGET', STATE, 'took')
  -- A high estimate: where it is too low, all that wait come too early, and have to come again.
  local change = known and (took - known) / (took > tonumber(known) and 4 or 16) or took
  redis.call('HSET', STATE, 'took', math.floor((known or 0) + change + 0.5))
else
  redis.call('ZREM', use(lane), token)
end
local startedAt = leaseEndsAt - lease
local first = tidyQuarters(now)
fill(leaseEndsAt, first, -1, -recipients)
if sent then fill(now, first, 1, recipients) end
if not sent then
  count(startedAt, -1, -recipients)
elseif period(13, startedAt) ~= period(13, now) or period(19, startedAt) ~= period(19, now) then
  count(startedAt, -1, -recipients)
  count(now, 1, recipients)
end
return 1
`;

/** Gives a place in line back. arg: id. */
export const RELEASE = `${FRAME}${CALENDAR}
for lane = 1, 3 do unbook(lane, arg(1)) end
redis.call('HDEL', SLOTS, arg(1))
redis.call('ZREM', LAPSED, arg(1))
redis.call('ZREM', ASKING, arg(1))
return 1
`;

/**
 * The provider said that we are too fast. arg: factor, least pace, milliseconds in which it is lowered once, attempts of
 * this worker that were not reported. Returns the messages a minute that hold now, and whether they were lowered.
 */
export const TOO_FAST = `${FRAME}
local now = instant()
local limit, pace, recovered = limitNow(now)
local loweredAt = redis.call('HGET', STATE, 'paceAt')
if limit and not recovered and loweredAt and now - tonumber(loweredAt) < tonumber(arg(3)) then return {limit, 0} end
if not limit then
  local _, _, recent = recentAttempts(now)
  redis.call('HSET', STATE, 'learned', math.max(1, recent + arg(4)))
end
redis.call('HSET', STATE, 'pace', tostring(math.max(tonumber(arg(2)), pace * arg(1))), 'paceAt', now)
redis.call('PEXPIRE', STATE, 7 * DAY)
limit = limitNow(now)
return {limit, 1}
`;

/** Tells of attempts that nobody had to ask for. arg: attempts, messages sent, their recipients. Returns the limit or 0. */
export const REPORT = `${FRAME}
local now = instant()
local attempts, messages, recipients = tonumber(arg(1)), tonumber(arg(2)), tonumber(arg(3))
if attempts > 0 then noteAttempts(now, attempts) end
if messages > 0 then
  count(now, messages, recipients)
  fill(now, tidyQuarters(now), messages, recipients)
end
return (limitNow(now)) or 0
`;

/**
 * Keeps connections and gives others back. arg: how many to keep, their names, the names of the others. Returns 1 where
 * somebody asked for a connection in vain lately.
 */
export const RENEW = `${FRAME}
local now = instant()
local keep = tonumber(arg(1))
for i = 26 + 1, #ARGV do
  if i - 26 <= keep then
    -- Also one that ran out, since this worker hung: its connection is still open, and so the others must count it.
    redis.call('ZADD', CONNECTIONS, now + ARGV[11], ARGV[i])
  else
    redis.call('ZREM', CONNECTIONS, ARGV[i])
  end
end
if keep > 0 then redis.call('PEXPIRE', CONNECTIONS, ARGV[11]) end
local wantedAt = tonumber(redis.call('HGET', STATE, 'wantedAt') or 0)
return now - wantedAt < 10000 and 1 or 0
`;

/**
 * Reads what is used, and changes nothing. Returns now, limit or '', pace in percent, used and booked in the minute,
 * recipients of the day, messages of the day, messages of the month, connections, then the quarters as names and values.
 */
export const READ = `${FRAME}${CALENDAR}
local now = instant()
local limit, pace = limitNow(now)
local used, booked = 0, 0
for lane = 1, 3 do
  used = used + redis.call('ZCOUNT', use(lane), '(' .. string.format('%.0f', now - WINDOW), '+inf')
  booked = booked + redis.call('ZCARD', order(lane))
end
local day, month = period(13, now), period(19, now)
local answer = {now, limit or '', math.floor(pace * 100 + 0.5), used, booked,
  redis.call('HGET', COUNTS, 'd' .. day .. ':r') or 0, redis.call('HGET', COUNTS, 'd' .. day .. ':m') or 0,
  redis.call('HGET', COUNTS, 'm' .. month .. ':m') or 0,
  redis.call('ZCOUNT', CONNECTIONS, '(' .. string.format('%.0f', now), '+inf')}
for _, field in ipairs(redis.call('HGETALL', QUARTERS)) do answer[#answer + 1] = field end
return answer
`;
