"""Arrays that lie on GPUs, between ranks: what carries them, and who chooses that."""

from distgrad.distributed.device.communicator import DeviceCommunicator, with_arrays_of

__all__ = ["DeviceCommunicator", "with_arrays_of"]
