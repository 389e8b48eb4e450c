"""One router per noun. All of a commune's routes stand under `/api/v1/communes/{commune_insee}`."""
