"""The use cases, one module for each thing a person does; ``SmartAbsen`` is their facade."""
