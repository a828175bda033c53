//! MQTT: events out, health retained, watchdog.
