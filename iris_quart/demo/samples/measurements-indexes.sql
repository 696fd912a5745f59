-- Made after the rows: that is faster than keeping them up while loading.

CREATE INDEX StationIDX ON Big.Measurement (Station);
CREATE INDEX MeasuredAtIDX ON Big.Measurement (MeasuredAt);
