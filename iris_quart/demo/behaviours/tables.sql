-- What the behaviours read and write; made and dropped in the namespace under test, in SQL that IRIS itself takes.

CREATE TABLE IrisQuartCheck.Thing (
    Code VARCHAR(10) NOT NULL,
    Txt VARCHAR(40),
    Exa VARCHAR(40) COLLATE %EXACT,
    Whole INTEGER,
    Big BIGINT,
    Small SMALLINT,
    Tiny TINYINT,
    Flag BIT,
    Num NUMERIC(10, 2),
    Price MONEY,
    Dbl DOUBLE,
    Dat DATE,
    Tim TIME,
    Stamp TIMESTAMP,
    Posix POSIXTIME,
    Bin VARBINARY(20),
    Body LONGVARCHAR,
    Gid UNIQUEIDENTIFIER,
    CONSTRAINT ThingCode UNIQUE (Code)
);

INSERT INTO IrisQuartCheck.Thing
    (Code, Txt, Exa, Whole, Big, Small, Tiny, Flag, Num, Price, Dbl, Dat, Tim, Stamp, Posix, Bin, Body, Gid)
    VALUES ('full', 'Hello', 'Hello', 42, 9007199254740993, -5, 7, 1, 12.50, 3.75, 0.25,
    TO_DATE('2024-02-29', 'YYYY-MM-DD'), CAST('12:34:56' AS TIME), '2024-02-29 12:34:56',
    CAST('2024-02-29 12:34:56' AS POSIXTIME), CAST('abc' AS VARBINARY), 'A text in a stream',
    '6F9619FF-8B86-D011-B42D-00CF4FC964FF');

INSERT INTO IrisQuartCheck.Thing (Code) VALUES ('void');

INSERT INTO IrisQuartCheck.Thing (Code, Txt, Exa) VALUES ('blank', '', '');

CREATE TABLE IrisQuartCheck.Word (
    Number INTEGER NOT NULL,
    Word VARCHAR(20),
    Kind VARCHAR(10),
    CONSTRAINT WordNumber PRIMARY KEY (Number)
);

INSERT INTO IrisQuartCheck.Word (Number, Word, Kind) VALUES (1, 'apple', 'fruit');

INSERT INTO IrisQuartCheck.Word (Number, Word, Kind) VALUES (2, 'Apple', 'fruit');

INSERT INTO IrisQuartCheck.Word (Number, Word, Kind) VALUES (3, 'banana', 'fruit');

INSERT INTO IrisQuartCheck.Word (Number, Word, Kind) VALUES (4, 'Carrot', 'root');

INSERT INTO IrisQuartCheck.Word (Number, Word, Kind) VALUES (5, 'Ærø', 'island');

INSERT INTO IrisQuartCheck.Word (Number, Word, Kind) VALUES (6, 'a_b%c', 'sign');

INSERT INTO IrisQuartCheck.Word (Number, Word, Kind) VALUES (7, NULL, 'none');

INSERT INTO IrisQuartCheck.Word (Number, Word, Kind) VALUES (8, '', NULL);

CREATE TABLE IrisQuartCheck.Target (
    Code VARCHAR(10) NOT NULL,
    Txt VARCHAR(10),
    Whole INTEGER,
    Tiny TINYINT,
    Flag BIT,
    Num NUMERIC(6, 2),
    Dbl DOUBLE,
    Dat DATE,
    Tim TIME,
    Stamp TIMESTAMP,
    Posix POSIXTIME,
    Body LONGVARCHAR,
    Filled VARCHAR(10) DEFAULT 'none',
    Ver ROWVERSION,
    CONSTRAINT TargetCode UNIQUE (Code)
);

INSERT INTO IrisQuartCheck.Target (Code, Txt, Whole, Num, Dat) VALUES ('a', 'one', 1, 1.50, TO_DATE('2024-01-01', 'YYYY-MM-DD'));

INSERT INTO IrisQuartCheck.Target (Code, Txt, Whole) VALUES ('b', 'Two', 2);

INSERT INTO IrisQuartCheck.Target (Code, Txt) VALUES ('c', '');

CREATE TABLE IrisQuartCheck.Parent (
    Code VARCHAR(5) NOT NULL,
    CONSTRAINT ParentKey PRIMARY KEY (Code)
);

CREATE TABLE IrisQuartCheck.Child (
    Number INTEGER NOT NULL,
    Kept VARCHAR(5),
    Emptied VARCHAR(5),
    Followed VARCHAR(5),
    CONSTRAINT ChildKey PRIMARY KEY (Number),
    CONSTRAINT ChildKept FOREIGN KEY (Kept) REFERENCES IrisQuartCheck.Parent (Code) ON DELETE NO ACTION,
    CONSTRAINT ChildEmptied FOREIGN KEY (Emptied) REFERENCES IrisQuartCheck.Parent (Code) ON DELETE SET NULL,
    CONSTRAINT ChildFollowed FOREIGN KEY (Followed) REFERENCES IrisQuartCheck.Parent (Code) ON DELETE CASCADE
);

INSERT INTO IrisQuartCheck.Parent (Code) VALUES ('k');

INSERT INTO IrisQuartCheck.Parent (Code) VALUES ('e');

INSERT INTO IrisQuartCheck.Parent (Code) VALUES ('f');

INSERT INTO IrisQuartCheck.Parent (Code) VALUES ('free');

INSERT INTO IrisQuartCheck.Child (Number, Kept) VALUES (1, 'k');

INSERT INTO IrisQuartCheck.Child (Number, Emptied) VALUES (2, 'e');

INSERT INTO IrisQuartCheck.Child (Number, Followed) VALUES (3, 'f');

CREATE VIEW IrisQuartCheck.Simple AS SELECT Code, Txt, Whole FROM IrisQuartCheck.Target;

CREATE VIEW IrisQuartCheck.Narrow AS SELECT Code, Whole FROM IrisQuartCheck.Target WHERE Whole < 10 WITH CHECK OPTION;

CREATE VIEW IrisQuartCheck.Counted AS SELECT Kind, COUNT(*) AS Words FROM IrisQuartCheck.Word GROUP BY Kind;
