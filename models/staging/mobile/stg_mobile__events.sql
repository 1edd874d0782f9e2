{{ segment_events('raw_mobile') }}
