"""Templates and photos: enrolment, training, calibration, evaluation, and who somebody is."""
