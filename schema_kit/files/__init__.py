"""Archives in files: rows leave the database for Parquet or COPY text, and come back.

pyarrow, numpy, fsspec and the ADBC driver are the extra ``files``; they are imported when a file is written or read.
"""
