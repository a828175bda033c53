//! OSDP and WRADAPT: bytes to presentations, answers to feedback. `port` is the one user of serialport.
