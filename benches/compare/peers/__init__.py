"""The tools of the comparison, a file for each. To add one: a file here, and a line in `PEERS`.

A peer in Python is two things in one file: run as a program by its own interpreter it answers the query;
imported by the driver it says how it is run.
"""

from .ag_peer import Ag
from .awk_peer import Gawk, Mawk
from .chdb_peer import Chdb
from .datafusion_peer import DataFusion
from .duckdb_peer import DuckDb
from .flink_peer import Flink
from .miller_peer import Miller
from .peer import Tools
from .polars_peer import Polars, PolarsText
from .tumble_tool import Tumble

PEERS = (
    DuckDb(),
    Chdb(),
    Polars(),
    DataFusion(),
    PolarsText(),
    Gawk(),
    Mawk(),
    Miller(),
    Ag(),
    Flink(),
)

__all__ = ["PEERS", "Tools", "Tumble"]
