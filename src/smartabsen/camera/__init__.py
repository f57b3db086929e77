"""Frames from a webcam, RTSP, a video file or a folder, and the lock that keeps a camera to one process."""
