-- A collection vehicle on the streets of a French commune, for OSRM: a 3.5 t tipper, and smaller and larger ones as variants.
--
-- Reads like this: `setup` holds every figure; `variants` what differs for a size of vehicle, `fit` what follows from a
-- vehicle's own figures; `process_way` says where the vehicle may drive and how fast; `process_node`
-- what stands in its way; `process_turn` what a turn costs. The tables and handlers named `lib/*` come with OSRM.
--
-- Two figures rule a way. Its speed is the time that the vehicle really takes. Its rate is how glad we are to be there: a
-- motorway or an alley is driven at its speed but counted as if slower, so that it is used only where nothing else serves.

api_version = 4

Set = require("lib/set")
Sequence = require("lib/sequence")
Handlers = require("lib/way_handlers")
Obstacles = require("lib/obstacles")
Tags = require("lib/tags")
Measure = require("lib/measure")
local find_access_tag = require("lib/access").find_access_tag
local resolve_access = require("lib/access").resolve_access

function setup()
  return {
    properties = {
      -- Least weight (time divided by liking), not least time: see `rate` above.
      weight_name = "routability",
      max_speed_for_map_matching = 100 / 3.6, -- m/s
      -- A truck does not turn round in the street where it stopped.
      continue_straight_at_waypoint = true,
      u_turn_penalty = 45, -- s
      use_turn_restrictions = true,
      process_call_tagless_node = false,
    },

    default_mode = mode.driving,
    default_speed = 8, -- km/h, a way that only its access tags describe
    oneway_handling = true,

    -- The vehicle: metres and kilograms, as the signs count them.
    vehicle_width = 2.1,
    vehicle_height = 2.6,
    vehicle_length = 6.0,
    vehicle_weight = 3500,
    vehicle_max_speed = 70, -- km/h

    -- Seconds that turns cost.
    turn_s = 6, -- a turn of 90 degrees at a junction
    oncoming_turn_s = 3, -- added where it crosses the oncoming lane

    -- km/h between stops in town; a posted limit can only lower them. Pedestrian streets are open to service vehicles at
    -- walking pace (Code de la route, R110-2).
    speeds = Sequence {
      highway = {
        motorway = 70,
        motorway_link = 40,
        trunk = 55,
        trunk_link = 35,
        primary = 36,
        primary_link = 26,
        secondary = 32,
        secondary_link = 24,
        tertiary = 28,
        tertiary_link = 20,
        unclassified = 24,
        residential = 20,
        living_street = 10,
        service = 10,
        pedestrian = 6,
      },
    },
    -- The share of a posted limit that traffic lets the vehicle drive.
    limit_share = 0.75,

    -- How glad we are to be on such a way, 1 where nothing is said.
    liking_of_highway = {
      motorway = 0.2,
      motorway_link = 0.2,
      trunk = 0.5,
      trunk_link = 0.5,
      service = 0.8,
      pedestrian = 0.5,
    },
    liking_of_service = {
      alley = 0.6,
      driveway = 0.3,
      parking_aisle = 0.5,
      ["drive-through"] = 0.2,
    },
    liking_of_narrow = 0.7, -- two-way streets under 4 m or of a single lane: somebody has to back out

    -- km/h at most, by what the wheels roll on
    surface_speeds = {
      paving_stones = 25,
      sett = 18,
      cobblestone = 15,
      compacted = 25,
      fine_gravel = 20,
      gravel = 15,
      unpaved = 15,
      ground = 10,
      dirt = 10,
      grass = 6,
      sand = 6,
    },
    tracktype_speeds = { grade1 = 20, grade2 = 15, grade3 = 10, grade4 = 6, grade5 = 6 },
    smoothness_speeds = { bad = 15, very_bad = 8, horrible = 5, very_horrible = 5, impassable = 0 },

    access_tags_hierarchy = Sequence { "motor_vehicle", "vehicle", "access" },
    restrictions = Sequence { "motor_vehicle", "vehicle" },
    access_tag_whitelist = Set { "yes", "motor_vehicle", "vehicle", "permissive", "designated" },
    -- Driven into only to reach a place inside, never to pass through.
    restricted_access_tag_list = Set { "private", "destination", "delivery", "customers", "residents", "permit" },
    access_tag_blacklist = Set {
      "no", "private", "destination", "delivery", "customers", "residents", "permit", "agricultural", "forestry",
      "emergency", "psv", "bus", "taxi", "foot", "military",
    },
    restricted_highway_whitelist = Set {
      "primary", "secondary", "tertiary", "unclassified", "residential", "living_street", "service", "pedestrian",
    },
    service_access_tag_blacklist = Set { "private" },
    service_tag_forbidden = Set { "emergency_access" },

    avoid = Set { "area", "reversible", "impassable", "steps", "construction", "proposed" },
    construction_whitelist = Set { "no", "minor", "widening" },
    maxspeed_table_default = { urban = 50, rural = 80, trunk = 110, motorway = 130 },
    maxspeed_table = { ["fr:zone30"] = 30, ["fr:zone20"] = 20, ["fr:walk"] = 6 },

    -- What a service vehicle passes; a crew's badge opens gates and lowers bollards that can be lowered.
    barrier_passed = Set { "no", "entrance", "toll_booth", "border_control", "sally_port", "cattle_grid", "kerb" },
    barrier_wait_s = { gate = 45, lift_gate = 30, swing_gate = 45, rising_bollard = 30 },

    classes = Sequence { "motorway", "toll", "restricted", "tunnel" },
    excludable = Sequence { Set { "motorway" }, Set { "toll" } },
    highway_turn_classification = {},
    access_turn_classification = {},
  }
end

-- The class of a street says how fast it is driven between two stops; a posted limit can only lower that.
local function limit_speed(profile, way, result, data)
  local keys = Sequence { "maxspeed", "zone:maxspeed", "source:maxspeed", "maxspeed:type" }
  local forward, backward = Tags.get_forward_backward_by_set(way, data, keys)
  local forward_kmh = WayHandlers.parse_maxspeed(forward, profile)
  local backward_kmh = WayHandlers.parse_maxspeed(backward, profile)
  if forward_kmh > 0 and result.forward_speed > 0 then
    result.forward_speed = math.min(result.forward_speed, forward_kmh * profile.limit_share)
  end
  if backward_kmh > 0 and result.backward_speed > 0 then
    result.backward_speed = math.min(result.backward_speed, backward_kmh * profile.limit_share)
  end
end

local function is_narrow(way, result)
  if result.forward_mode == mode.inaccessible or result.backward_mode == mode.inaccessible then
    return false -- nobody comes the other way
  end
  local width_m = Measure.get_max_width(way:get_value_by_key("width"))
  return (width_m and width_m < 4) or way:get_value_by_key("lanes") == "1"
end

local function rate_way(profile, way, result, data)
  local liking = profile.liking_of_highway[data.highway] or 1
  liking = liking * (profile.liking_of_service[way:get_value_by_key("service")] or 1)
  if is_narrow(way, result) then
    liking = liking * profile.liking_of_narrow
  end
  if result.forward_speed > 0 then
    result.forward_rate = result.forward_speed / 3.6 * liking
  end
  if result.backward_speed > 0 then
    result.backward_rate = result.backward_speed / 3.6 * liking
  end
end

local way_steps = Sequence {
  WayHandlers.default_mode,
  WayHandlers.blocked_ways,
  WayHandlers.avoid_ways,
  WayHandlers.handle_height,
  WayHandlers.handle_width,
  WayHandlers.handle_length,
  WayHandlers.handle_weight,
  WayHandlers.access,
  WayHandlers.oneway,
  WayHandlers.service,
  WayHandlers.speed,
  limit_speed,
  WayHandlers.surface,
  WayHandlers.vehicle_speed_cap,
  rate_way,
  WayHandlers.classes,
  WayHandlers.turn_lanes,
  WayHandlers.classification,
  WayHandlers.roundabouts,
  WayHandlers.startpoint,
  WayHandlers.driving_side,
  WayHandlers.names,
  WayHandlers.way_classification_for_turn,
}

function process_way(profile, way, result, relations)
  local data = { highway = way:get_value_by_key("highway") }
  if data.highway and data.highway ~= "" then
    WayHandlers.run(profile, way, result, data, way_steps, relations)
  end
end

local function blocks(profile, node, barrier)
  if barrier == "height_restrictor" then
    local height_m = Measure.get_max_height(node:get_value_by_key("maxheight"), node)
    return height_m ~= nil and height_m < profile.vehicle_height
  end
  return not profile.barrier_passed[barrier] and not profile.barrier_wait_s[barrier]
end

function process_node(profile, node, result, relations)
  local access = resolve_access(find_access_tag(node, profile.access_tags_hierarchy), profile)
  local barrier = node:get_value_by_key("barrier")
  if barrier == "bollard" and node:get_value_by_key("bollard") == "rising" then
    barrier = "rising_bollard"
  end
  if access then
    if profile.access_tag_blacklist[access] and not profile.restricted_access_tag_list[access] then
      obstacle_map:add(node, Obstacle.new(obstacle_type.barrier))
    end
  elseif barrier and blocks(profile, node, barrier) then
    obstacle_map:add(node, Obstacle.new(obstacle_type.barrier))
  end
  local wait_s = barrier and profile.barrier_wait_s[barrier]
  if wait_s then
    obstacle_map:add(node, Obstacle.new(obstacle_type.gate, obstacle_direction.both, wait_s, 0))
  end
  Obstacles.process_node(profile, node)
end

function process_turn(profile, turn)
  for _, obstacle in pairs(obstacle_map:get(turn.from, turn.via)) do
    turn.duration = turn.duration + obstacle.duration
  end
  if turn.is_u_turn then
    turn.duration = turn.duration + profile.properties.u_turn_penalty
  elseif turn.number_of_roads > 2 then
    -- Nothing for going straight on, `turn_s` for a right angle, half as much again for a hairpin.
    local sharpness = math.min(math.abs(turn.angle) / 90, 1.5)
    turn.duration = turn.duration + profile.turn_s * sharpness * sharpness / math.max(sharpness, 1)
    local crosses_oncoming = turn.angle < 0
    if turn.is_left_hand_driving then
      crosses_oncoming = turn.angle > 0
    end
    if crosses_oncoming and not turn.source_is_roundabout and not turn.target_is_roundabout then
      turn.duration = turn.duration + profile.oncoming_turn_s * math.min(sharpness, 1)
    end
  end
  turn.weight = turn.duration
  if not turn.source_restricted and turn.target_restricted then
    turn.weight = constants.max_turn_weight
  end
end

-- What differs from `setup` by size. The figures of a town's own vehicle go before these (docs/rounds.md).
local variants = {
  standard = {},
  -- An electric or narrow tipper for old centres: it goes through alleys that others avoid.
  small = {
    vehicle_width = 1.6,
    vehicle_height = 2.1,
    vehicle_length = 4.8,
    vehicle_weight = 2200,
    vehicle_max_speed = 50,
    liking_of_service = { alley = 0.9, driveway = 0.3, parking_aisle = 0.6, ["drive-through"] = 0.2 },
    liking_of_narrow = 0.95,
  },
  -- A refuse truck of 19 t: slow to turn, kept out of alleys and pedestrian streets where anything else serves.
  large = {
    vehicle_width = 2.55,
    vehicle_height = 3.6,
    vehicle_length = 9.5,
    vehicle_weight = 19000,
    vehicle_max_speed = 60,
    turn_s = 9,
    oncoming_turn_s = 5,
    limit_share = 0.7,
    liking_of_highway = {
      motorway = 0.2, motorway_link = 0.2, trunk = 0.5, trunk_link = 0.5, service = 0.6, living_street = 0.7,
      pedestrian = 0.2,
    },
    liking_of_service = { alley = 0.2, driveway = 0.2, parking_aisle = 0.2, ["drive-through"] = 0.1 },
    liking_of_narrow = 0.4,
  },
}
local u_turn_s = { large = 120 }

function vary(profile, size)
  for name, figure in pairs(variants[size]) do
    profile[name] = figure
  end
  profile.properties.u_turn_penalty = u_turn_s[size] or profile.properties.u_turn_penalty
end

-- Signs for goods vehicles mean those of more than 3.5 t (Code de la route, R110-2 and the sign B8).
function fit(profile)
  if profile.vehicle_weight > 3500 then
    profile.access_tags_hierarchy = Sequence { "hgv", "motor_vehicle", "vehicle", "access" }
    profile.restrictions = Sequence { "hgv", "motor_vehicle", "vehicle" }
  end
end

return {
  setup = setup, vary = vary, fit = fit, process_way = process_way, process_node = process_node, process_turn = process_turn,
}
