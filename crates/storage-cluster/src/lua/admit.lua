-- Counts one against a bucket by GCRA, if its quota allows one more now.
-- KEYS[1]: the bucket's theoretical arrival time, in microseconds
-- ARGV: interval in microseconds, burst
-- Returns 0 if admitted, else the microseconds until one more will be.
local interval, allowed = tonumber(ARGV[1]), ARGV[1] * ARGV[2]
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local arrival = tonumber(redis.call('GET', KEYS[1]) or now)
-- Never further ahead than a bucket that was used up, also after the clock went back.
arrival = math.min(math.max(arrival, now), now + allowed)
local following = arrival + interval
local wait = following - now - allowed
if wait > 0 then
  return wait
end
local lasts = math.ceil((following - now) / 1000)
redis.call('SET', KEYS[1], string.format('%.0f', following), 'PX', lasts)
return 0
