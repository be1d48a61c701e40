-- The nodes on which a user is by a lease that has not ended.
-- KEYS[1]: the user's nodes by the end of their lease, in milliseconds
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
return redis.call('ZRANGEBYSCORE', KEYS[1], string.format('(%.0f', now), '+inf')
