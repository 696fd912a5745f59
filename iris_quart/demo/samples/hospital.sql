-- Namespace HOSPITAL: a ward, its doctors and patients, appointments and observations.

CREATE TABLE Ward.Doctor (
    Name VARCHAR(60) NOT NULL,
    Speciality VARCHAR(40),
    Pager VARCHAR(10),
    CONSTRAINT PagerKey UNIQUE (Pager)
) WITH %CLASS;

CREATE TABLE Ward.Patient (
    %DESCRIPTION 'Invented people; any likeness is chance.',
    RecordNumber VARCHAR(10) NOT NULL,
    FamilyName VARCHAR(40) NOT NULL,
    GivenName VARCHAR(40),
    Born DATE,
    Sex VARCHAR(1),
    BloodGroup VARCHAR(3),
    Weight NUMERIC(5, 1) %DESCRIPTION 'Kilograms.',
    Allergies VARCHAR(200),
    Admitted TIMESTAMP,
    Room SMALLINT,
    Insured BIT DEFAULT 1,
    CONSTRAINT RecordNumberKey UNIQUE (RecordNumber)
) WITH %CLASS;

CREATE TABLE Ward.Appointment (
    %DESCRIPTION 'What is planned, with every kind of date and time.',
    Patient %REFERENCE Ward.Patient NOT NULL,
    Doctor %REFERENCE Ward.Doctor,
    OnDate DATE NOT NULL,
    AtTime TIME NOT NULL,
    Minutes SMALLINT DEFAULT 20,
    Reason VARCHAR(100),
    BookedAt POSIXTIME,
    ConfirmedAt TIMESTAMP,
    Cancelled BIT DEFAULT 0,
    CONSTRAINT AppointmentPatient FOREIGN KEY (Patient) REFERENCES Ward.Patient (ID) ON DELETE CASCADE,
    CONSTRAINT AppointmentDoctor FOREIGN KEY (Doctor) REFERENCES Ward.Doctor (ID) ON DELETE SET NULL
) WITH %CLASS;

CREATE INDEX OnDateIDX ON Ward.Appointment (OnDate);

CREATE TABLE Ward.Observation (
    %DESCRIPTION 'Readings of a patient; the row ID is patient||number.',
    TakenAt TIMESTAMP NOT NULL,
    Pulse SMALLINT,
    Temperature NUMERIC(4, 1),
    Remark VARCHAR(200)
) WITH %CLASS, %CHILDOF Ward.Patient AS Patient;

CREATE VIEW Ward.Today AS
    SELECT a.ID, a.OnDate, a.AtTime, p.FamilyName, p.Room, a.Reason
    FROM Ward.Appointment a INNER JOIN Ward.Patient p ON a.Patient = p.ID
    WHERE a.Cancelled = 0;
