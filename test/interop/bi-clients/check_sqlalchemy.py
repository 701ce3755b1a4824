"""Reads the star through SQLAlchemy's own reflection, and tries to write: check_sqlalchemy.py <url>."""

import sys

from sqlalchemy import MetaData, Table, create_engine, func, select
from sqlalchemy.exc import SQLAlchemyError

engine = create_engine(sys.argv[1])
items = Table("sales_items", MetaData(), schema="gold", autoload_with=engine)
keys = [column.name for column in items.primary_key]
with engine.connect() as connection:
    revenue = connection.execute(select(func.sum(items.c.revenue))).scalar_one()
try:
    with engine.begin() as connection:
        connection.execute(items.delete())
    sys.exit("the reader could delete rows of gold")
except SQLAlchemyError:
    pass
if str(revenue) != "817860.05" or keys != ["order_date", "store_id", "channel", "pizza_id"]:
    sys.exit(f"SQLAlchemy read {revenue} with the key {keys}")
print("SQLAlchemy reads the star with its primary key, and cannot write")
