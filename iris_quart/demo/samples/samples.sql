-- Namespace SAMPLES: people and companies, cinemas, every type, and names and values that are hard.

CREATE TABLE Sample.Company (
    %DESCRIPTION 'Companies that employ people.',
    Name VARCHAR(80) NOT NULL,
    TaxID VARCHAR(12) NOT NULL,
    Mission VARCHAR(200) %PARAMETERS (CAPTION 'Mission statement') %DESCRIPTION 'What the company says it is for.',
    Revenue BIGINT,
    Founded DATE,
    CONSTRAINT TaxIDIndex UNIQUE (TaxID)
) WITH %CLASS, %TRIGGER TrimMission UPDATE Mission AS (TRIM(Mission));

CREATE TABLE Sample.Person (
    %DESCRIPTION 'People with two addresses, a list of colours and perhaps a spouse.',
    Name VARCHAR(50) NOT NULL,
    SSN VARCHAR(50) NOT NULL %DESCRIPTION 'Three, two and four digits; unique.',
    DOB DATE %DESCRIPTION 'Date of birth.',
    Age INTEGER GENERATED ALWAYS AS (
        (CAST(TO_CHAR(CURRENT_DATE, 'YYYYMMDD') AS INTEGER) - CAST(TO_CHAR(DOB, 'YYYYMMDD') AS INTEGER)) \ 10000
    ),
    Home %SERIAL (Street VARCHAR(80), City VARCHAR(80), State VARCHAR(2), Zip VARCHAR(5)),
    Office %SERIAL (Street VARCHAR(80), City VARCHAR(80), State VARCHAR(2), Zip VARCHAR(5)),
    FavoriteColors %LIST,
    Spouse %REFERENCE Sample.Person,
    CONSTRAINT SSNKey UNIQUE (SSN)
) WITH %CLASS;

CREATE INDEX NameIDX ON Sample.Person (Name);
CREATE INDEX ZipCode ON Sample.Person (Home_Zip);

CREATE TABLE Sample.Employee (
    %DESCRIPTION 'Who works where, and for whom.',
    Name VARCHAR(50) NOT NULL,
    Title VARCHAR(50),
    Company %REFERENCE Sample.Company NOT NULL,
    Manager %REFERENCE Sample.Employee %DESCRIPTION 'Another employee, or nobody.',
    Salary NUMERIC(10, 2) DEFAULT 0,
    HiredOn DATE,
    StartsAt TIME,
    Remote BIT DEFAULT 0,
    Notes LONGVARCHAR,
    Picture LONGVARBINARY,
    Version ROWVERSION,
    CONSTRAINT EmployeeCompany FOREIGN KEY (Company) REFERENCES Sample.Company (ID) ON DELETE NO ACTION,
    CONSTRAINT EmployeeManager FOREIGN KEY (Manager) REFERENCES Sample.Employee (ID) ON DELETE SET NULL
) WITH %CLASS;

CREATE VIEW Sample.Senior AS
    SELECT ID, Name, SSN, DOB, Home_City, Home_State FROM Sample.Person WHERE DOB < TO_DATE('1965-01-01', 'YYYY-MM-DD');

CREATE VIEW Sample.CompanyStaff AS
    SELECT c.Name AS Company, COUNT(*) AS Employees, AVG(e.Salary) AS AverageSalary
    FROM Sample.Employee e INNER JOIN Sample.Company c ON e.Company = c.ID
    GROUP BY c.Name;

CREATE TABLE Cinema.FilmCategory (
    CategoryName VARCHAR(50) NOT NULL,
    CONSTRAINT CategoryName UNIQUE (CategoryName)
) WITH %CLASS;

CREATE TABLE Cinema.Film (
    %DESCRIPTION 'Films that never were.',
    Title VARCHAR(80) NOT NULL,
    Category %REFERENCE Cinema.FilmCategory,
    Rating VARCHAR(5) %PARAMETERS (VALUELIST ',G,PG,PG-13,R', DISPLAYLIST ',General,Guidance,Over 13,Restricted',
        CAPTION 'Age rating'),
    Length INTEGER %DESCRIPTION 'Minutes.',
    Released DATE,
    PlayingNow BIT DEFAULT 1,
    TicketsSold BIGINT,
    Score DOUBLE,
    Plot VARCHAR(2000),
    CONSTRAINT FilmCategory FOREIGN KEY (Category) REFERENCES Cinema.FilmCategory (ID) ON DELETE SET NULL
) WITH %CLASS;

CREATE TABLE Cinema.Theater (
    TheaterName VARCHAR(60) NOT NULL,
    Seats SMALLINT,
    AdultPrice MONEY,
    ChildPrice MONEY
) WITH %CLASS;

CREATE TABLE Cinema.Show (
    %DESCRIPTION 'Showings of a theater; the row ID is theater||number.',
    Film %REFERENCE Cinema.Film NOT NULL,
    StartTime TIME NOT NULL,
    SoldOut BIT DEFAULT 0,
    CONSTRAINT ShowFilm FOREIGN KEY (Film) REFERENCES Cinema.Film (ID) ON DELETE CASCADE
) WITH %CLASS, %CHILDOF Cinema.Theater AS Theater;

CREATE TABLE SQLUser.TypeMatrix (
    %DESCRIPTION 'One column for each type, one row for each hard value.',
    Label VARCHAR(60) NOT NULL,
    VarcharValue VARCHAR(2000),
    ExactValue VARCHAR(200) COLLATE %EXACT,
    CharValue CHAR(10),
    IntegerValue INTEGER,
    BigintValue BIGINT,
    SmallintValue SMALLINT,
    TinyintValue TINYINT,
    BitValue BIT,
    NumericValue NUMERIC(18, 4),
    MoneyValue MONEY,
    DoubleValue DOUBLE,
    DateValue DATE,
    TimeValue TIME,
    PreciseTimeValue TIME(3),
    TimestampValue TIMESTAMP,
    PosixtimeValue POSIXTIME,
    VarbinaryValue VARBINARY(200),
    LongVarcharValue LONGVARCHAR,
    LongVarbinaryValue LONGVARBINARY,
    GuidValue UNIQUEIDENTIFIER,
    ListValue %LIST,
    ReadOnlyValue VARCHAR(20) %READONLY,
    ComputedValue VARCHAR(80) GENERATED ALWAYS AS ('[' || Label || ']'),
    VersionValue ROWVERSION,
    CONSTRAINT TypeMatrixLabel UNIQUE (Label)
);

CREATE TABLE "Odd Names"."Café $ Prices #1" (
    %DESCRIPTION 'Spaces, signs, reserved words and letters beyond ASCII in every name.',
    "Item Name" VARCHAR(40) NOT NULL,
    "Prix €" NUMERIC(8, 2),
    "Größe" VARCHAR(10),
    "100%" BIT,
    "select" VARCHAR(20),
    "say ""hi""" VARCHAR(40),
    "日本語" VARCHAR(40),
    CONSTRAINT "Price Key" PRIMARY KEY ("Item Name")
);

CREATE TABLE Sample.Imported (
    %DESCRIPTION 'Values that a global import left behind and that break the declarations of their columns.',
    Code VARCHAR(5),
    Quantity INTEGER,
    Price NUMERIC(8, 2),
    ReceivedOn DATE,
    ReceivedAt TIMESTAMP,
    Checked BIT
) WITH %CLASS;

CREATE TABLE Sample.Keyless (
    %DESCRIPTION 'No key but the hidden row ID, and rows that are all alike.',
    Word VARCHAR(20),
    Number INTEGER
);

CREATE TABLE Sample.Empty (
    %DESCRIPTION 'No rows at all.',
    Word VARCHAR(20),
    Number INTEGER
) WITH %CLASS;

CREATE TABLE Sample.Archive (
    %DESCRIPTION 'A table that takes no writes.',
    Title VARCHAR(80),
    ClosedOn DATE
) WITH %CLASS, %READONLY;
