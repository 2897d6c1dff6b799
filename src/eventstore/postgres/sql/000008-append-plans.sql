-- For arrays of one or two values a plan of its own always looked cheaper, and making it cost a third of a small append.
alter function append_slices(
  text, text[], bigint[], int[], text[], bigint[], uuid[], text[], smallint[], bytea[], text[], text[])
  set plan_cache_mode = force_generic_plan;
