"""Which SQL functions exist, what they take and what they give.

``takes`` has one letter an argument, the last one repeated: ``t`` text, ``n`` number, ``i`` whole number, ``m`` moment,
``a`` anything, ``u`` date part, ``f`` format text. ``gives`` names a type, or ``same`` for that of the first argument,
``number`` for the widest number among the arguments, ``binary`` for text or binary as given.
"""

from __future__ import annotations

from dataclasses import dataclass

from iris_quart.demo.core.types import (
    BIGINT,
    DATE_TYPE,
    LIST_TYPE,
    POSIXTIME_TYPE,
    TIME_TYPE,
    TIMESTAMP_TYPE,
    VARCHAR,
    SqlType,
)


@dataclass(frozen=True, slots=True)
class Function:
    """Describe one function; ``sqlite`` is the function of ours that runs it."""

    sqlite: str
    takes: str
    least: int
    most: int
    gives: str
    streams: bool = False
    inherits: bool = False


TYPES: dict[str, SqlType] = {
    "text": VARCHAR,
    "integer": BIGINT,
    "date": DATE_TYPE,
    "time": TIME_TYPE,
    "timestamp": TIMESTAMP_TYPE,
    "posixtime": POSIXTIME_TYPE,
    "list": LIST_TYPE,
}

_TABLE = """
UPPER UCASE            iris_upper            t    1 1 text
LOWER LCASE            iris_lower            t    1 1 text
LENGTH LEN             iris_length           b    1 1 integer streams
CHARACTER_LENGTH CHAR_LENGTH iris_character_length b 1 1 integer streams
DATALENGTH             iris_data_length      b    1 1 integer streams
$LENGTH                iris_piece_length     tt   1 2 integer
SUBSTRING SUBSTR       iris_substring        bii  2 3 binary streams inherits
LEFT                   iris_left             ti   2 2 text inherits
RIGHT                  iris_right            ti   2 2 text inherits
$EXTRACT               iris_extract          tii  1 3 text inherits
$PIECE                 iris_piece            ttii 2 4 text inherits
$FIND                  iris_find             tti  2 3 integer
CHARINDEX POSITION     iris_position        tti  2 3 integer
INSTR                  iris_instr            ttii 2 4 integer
CONCAT                 iris_concat           tt   2 2 text
STRING                 iris_string           t    1 99 text
REPEAT REPLICATE       iris_repeat           ti   2 2 text
SPACE                  iris_space            i    1 1 text
LPAD                   iris_lpad             tit  2 3 text
RPAD                   iris_rpad             tit  2 3 text
$JUSTIFY               iris_justify          ti   2 2 text
REPLACE                iris_replace          ttt  3 3 text
STUFF                  iris_stuff            tiit 4 4 text
$TRANSLATE             iris_translate        ttt  2 3 text
TRIM TRIM_BOTH         iris_trim             tt   1 2 text inherits
LTRIM TRIM_LEADING     iris_trim_left        tt   1 2 text inherits
RTRIM TRIM_TRAILING    iris_trim_right       tt   1 2 text inherits
REVERSE $REVERSE       iris_reverse          t    1 1 text
ASCII $ASCII           iris_ascii            t    1 1 integer
CHAR                   iris_char             i    1 1 text
$CHAR                  iris_unicode_char     i    1 1 text
INITCAP                iris_initcap          t    1 1 text
ABS                    iris_abs_             n    1 1 number
SIGN                   iris_sign_            n    1 1 whole
ROUND                  iris_round_           nii  1 3 number
TRUNCATE               iris_truncate_        ni   1 2 number
FLOOR                  iris_floor_           n    1 1 whole
CEILING                iris_ceiling_         n    1 1 whole
MOD                    iris_mod_             nn   2 2 number
POWER                  iris_power_           nn   2 2 decimal
SQRT                   iris_sqrt_            n    1 1 decimal
SQUARE                 iris_square_          n    1 1 number
EXP                    iris_exp_             n    1 1 decimal
LOG                    iris_log_             n    1 1 decimal
LOG10                  iris_log10_           n    1 1 decimal
SIN                    iris_sin_             n    1 1 decimal
COS                    iris_cos_             n    1 1 decimal
TAN                    iris_tan_             n    1 1 decimal
COT                    iris_cot_             n    1 1 decimal
ASIN                   iris_asin_            n    1 1 decimal
ACOS                   iris_acos_            n    1 1 decimal
ATAN                   iris_atan_            n    1 1 decimal
ATAN2                  iris_atan2_           nn   2 2 decimal
DEGREES                iris_degrees_         n    1 1 decimal
RADIANS                iris_radians_         n    1 1 decimal
PI                     iris_pi_              n    0 0 decimal
TO_NUMBER              iris_number_          n    1 1 decimal
DATEADD TIMESTAMPADD   iris_dateadd          unm  3 3 timestamp
DATEDIFF TIMESTAMPDIFF iris_datediff         umm  3 3 integer
DATEPART               iris_datepart         um   2 2 integer
DATENAME               iris_datename         um   2 2 text
YEAR                   iris_datepart:year    m    1 1 integer
QUARTER                iris_datepart:quarter m    1 1 integer
MONTH                  iris_datepart:month   m    1 1 integer
WEEK                   iris_datepart:week    m    1 1 integer
DAY DAYOFMONTH         iris_datepart:day     m    1 1 integer
DAYOFYEAR              iris_datepart:dayofyear m  1 1 integer
DAYOFWEEK              iris_datepart:weekday m    1 1 integer
HOUR                   iris_datepart:hour    m    1 1 integer
MINUTE                 iris_datepart:minute  m    1 1 integer
SECOND                 iris_datepart:second  m    1 1 integer
DAYNAME                iris_day_name         m    1 1 text
MONTHNAME              iris_month_name       m    1 1 text
LAST_DAY               iris_last_day         m    1 1 date
TO_DATE                iris_to_date          tt   1 2 date
TO_TIMESTAMP           iris_to_timestamp     tt   1 2 timestamp
TO_POSIXTIME           iris_to_posixtime     tt   1 2 posixtime
TO_CHAR                iris_to_char          mt   1 2 text
CURDATE CURRENT_DATE   iris_today            i    0 0 date
CURTIME CURRENT_TIME   iris_time_of_day      i    0 0 time
NOW GETDATE CURRENT_TIMESTAMP SYSDATE iris_now i 0 1 timestamp
$LISTBUILD             iris_list_build       t    1 99 list
$LIST                  iris_list_get         ti   1 2 text
$LISTGET               iris_list_get         ti   1 2 text
$LISTLENGTH            iris_list_length      t    1 1 integer
$LISTTOSTRING          iris_list_to_string   tt   1 2 text
$LISTFROMSTRING        iris_list_from_string tt   1 2 list
"""


def _read() -> dict[str, Function]:
    found: dict[str, Function] = {}
    for line in _TABLE.strip().splitlines():
        words = line.split()
        at = next(index for index, word in enumerate(words) if word.startswith("iris_"))
        flags = words[at + 5 :]
        function = Function(
            words[at],
            words[at + 1],
            int(words[at + 2]),
            int(words[at + 3]),
            words[at + 4],
            "streams" in flags,
            "inherits" in flags,
        )
        for name in words[:at]:
            found[name] = function
    return found


FUNCTIONS = _read()
"""Functions by their SQL name."""
