-- The large table, made only when it is asked for. Its strings are EXACT, so that indexes serve comparisons.

CREATE TABLE Big.Measurement (
    %DESCRIPTION 'Weather readings, for paging through many rows.',
    Station VARCHAR(20) COLLATE %EXACT NOT NULL,
    MeasuredAt TIMESTAMP NOT NULL,
    Temperature NUMERIC(5, 2),
    Humidity TINYINT,
    Wind DOUBLE,
    Quality VARCHAR(10) COLLATE %EXACT,
    Remark VARCHAR(100) COLLATE %EXACT
) WITH %CLASS;
