"""Words that sample rows are made of."""

from __future__ import annotations

FAMILY_NAMES = (
    "Adler", "Baptiste", "Castro", "Diaz", "Eriksen", "Faber", "Goto", "Hale", "Ionescu", "Jansen", "Kowalski",
    "Lindqvist", "Moreau", "Novak", "O'Brien", "Petrov", "Quigley", "Rossi", "Schäfer", "Takahashi", "Underwood",
    "van der Berg", "Weiß", "Xu", "Yılmaz",  # noqa: RUF001
    "Zieliński", "Ørsted", "Müller", "Nuñez", "Brown",
)  # fmt: skip
GIVEN_NAMES = (
    "Ada", "Bruno", "Clara", "Dmitri", "Elena", "Farid", "Greta", "Hugo", "Ingrid", "Jorge", "Keiko", "Liam", "Maya",
    "Noor", "Olga", "Pablo", "Quinn", "Rosa", "Søren", "Tariq", "Uma", "Viktor", "Wanda", "Xenia", "Yusuf", "Zoë",
)  # fmt: skip
CITIES = (
    ("Ashford", "MA"), ("Bellmore", "NY"), ("Cedar Falls", "IA"), ("Dunkirk", "NY"), ("Eastham", "MA"),
    ("Fairview", "TX"), ("Glenwood", "CO"), ("Hillsboro", "OR"), ("Islip", "NY"), ("Jasper", "TX"),
    ("Kingston", "RI"), ("Larkspur", "CA"), ("Montara", "CA"), ("Newberry", "SC"), ("Oakdale", "MN"),
)  # fmt: skip
STREETS = ("Ash Street", "Birch Avenue", "Canal Road", "Dover Lane", "Elm Drive", "Franklin Blvd", "Grove Court",
           "Harbor View", "Main Street", "Second Avenue")  # fmt: skip
COLOURS = ("Red", "Orange", "Yellow", "Green", "Blue", "Purple", "Black", "White")
TITLES = ("Accountant", "Administrator", "Analyst", "Designer", "Developer", "Director", "Engineer", "Hygienist",
          "Manager", "Researcher", "Sales Rep", "Technician")  # fmt: skip
COMPANY_STEMS = ("Acme", "Blue Harbor", "Cyber", "Delta", "Evergreen", "Fjord", "Granite", "Helio", "Iris Valley",
                 "Juniper", "Kinetic", "Lumen", "Meridian", "Northwind", "Optic", "Pioneer", "Quantum", "Redwood",
                 "Summit", "Tidal")  # fmt: skip
COMPANY_ENDS = ("Associates", "Group Ltd.", "Holdings", "Inc.", "LLC.", "Partners", "Systems")
GOALS = ("plain advice", "quiet machines", "safe crossings", "sound ledgers", "clean water", "fast repairs",
         "honest maps", "long bridges")  # fmt: skip
FILM_WORDS = ("Autumn", "Bridge", "Clockmaker", "Desert", "Echo", "Ferry", "Garden", "Harbour", "Island", "Journey",
              "Kite", "Lantern", "Midnight", "North", "Orchard", "Pilot", "River", "Station", "Tide", "Violin",
              "Winter")  # fmt: skip
CATEGORIES = ("Action", "Comedy", "Drama", "Family", "Mystery", "Science Fiction", "Documentary")
RATINGS = ("G", "PG", "PG-13", "R")
SPECIALITIES = ("Cardiology", "Dermatology", "Neurology", "Orthopaedics", "Paediatrics", "Surgery")
REASONS = (
    "Check-up",
    "Blood test",
    "X-ray",
    "Dressing change",
    "Second opinion",
    "Physiotherapy",
    "Vaccination",
)
BLOOD_GROUPS = ("A+", "A-", "B+", "B-", "AB+", "AB-", "0+", "0-")
ITEMS = ("Anchor bolt", "Bearing", "Cable tie", "Drill bit", "Elbow joint", "Fuse", "Gasket", "Hinge", "Insulator",
         "Jack", "Key blank", "Lamp", "Magnet", "Nut", "O-ring", "Pulley", "Relay", "Spring", "Terminal",
         "Valve")  # fmt: skip

__all__ = [
    "BLOOD_GROUPS",
    "CATEGORIES",
    "CITIES",
    "COLOURS",
    "COMPANY_ENDS",
    "COMPANY_STEMS",
    "FAMILY_NAMES",
    "FILM_WORDS",
    "GIVEN_NAMES",
    "GOALS",
    "ITEMS",
    "RATINGS",
    "REASONS",
    "SPECIALITIES",
    "STREETS",
    "TITLES",
]
