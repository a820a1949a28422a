/**
 * To be put before a script: `storeTime()` is Redis's own clock, which all workers share, in milliseconds since 1970. Without
 * its decimals it is written by `string.format('%.0f', …)`.
 */
export const STORE_TIME = `
local function storeTime()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
`;
