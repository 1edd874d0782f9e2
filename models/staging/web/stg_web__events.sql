{{ segment_events('raw_web') }}
