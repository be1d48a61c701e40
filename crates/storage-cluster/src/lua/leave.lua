-- Ends a subscription: its node receives nothing, unless another one has taken its place.
-- KEYS[1]: the node's registration (token, since, bytes)
-- KEYS[2], KEYS[3]: the subscription's queue and end marker
-- ARGV: token
if redis.call('HGET', KEYS[1], 'token') == ARGV[1] then
  redis.call('DEL', KEYS[1])
end
redis.call('DEL', KEYS[2], KEYS[3])
