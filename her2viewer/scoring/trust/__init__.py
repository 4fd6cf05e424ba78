"""What an attribution is worth: measured on the very field that it explains, beside chance. `report` puts it together."""
