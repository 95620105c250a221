"""What is measured of pictures, whoever made them: one measure a file, none of them knows the model.

Every result is a frozen dataclass; `dataclasses.asdict` of it is JSON, and its `row()` is (measure, value, remark) for
a table. People, not pictures, are what the data has few of, so averages and intervals run over people.

The held-out set is all 298 judge pictures of 74 people: 66 single faces and 8 people of 29 variants each, every person
weighing the same, as in training. Its interval of KID is a quarter narrower than that of the 66 alone, and no picture
had to be picked by chance. Real pictures take the samples' way first: shrunk to the pack's side, through its JPEG, then
to the model's side.
"""
