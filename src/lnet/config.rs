//! What the files say that configure LNet at boot: `lnet.conf`, `modprobe.d`.
