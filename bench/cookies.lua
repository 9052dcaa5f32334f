-- wrk: goes through the Cookie headers of a file in a mixed order, each once before any comes again.
-- Arguments: path, file ("-" for requests without a cookie), how many of that order to leave out.

local requests = {}
local next = 1
local stride = 1

function init(args)
  local path, file, after = args[1], args[2], tonumber(args[3])
  if file == '-' then
    requests[1] = wrk.format('GET', path)
  else
    for cookie in io.lines(file) do
      requests[#requests + 1] = wrk.format('GET', path, { Cookie = cookie })
    end
  end
  -- A prime that divides none of the counts in use.
  if #requests % 7919 ~= 0 then stride = 7919 % #requests end
  if stride == 0 then stride = 1 end
  next = after * stride % #requests + 1
end

function request()
  next = (next - 1 + stride) % #requests + 1
  return requests[next]
end
