"""What the sensors of bays and spaces say, made into stays of vehicles."""
