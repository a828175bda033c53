//! The link protocol between the gateway and the reader bridge.
#![no_std]
