"""What is measured of pictures, whoever made them: one measure a file, none of them knows the model.

Every result is a frozen dataclass; `dataclasses.asdict` of it is JSON, and its `row()` is (measure, value, remark) for
a table. People, not pictures, are what the data has few of, so averages and intervals run over people.
"""
