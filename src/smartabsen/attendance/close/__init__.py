"""The month: checked, closed, exported for payroll; what changes later is an adjustment of the next one."""
