"""From images and videos to joints, with a trained network.

predictor      an image and where its person is, to 16 joints; without a box or center, people are found
finder         finds people in an image
following      the same people from frame to frame
many           folders of photographs, and videos
video          video files and cameras
frame_times    when each frame of a video is shown
outputs        several outputs of one command, side by side
joint_file     joints as CSV, JSON or COCO's format
drawing        skeletons and heatmaps drawn into images
onnx_network   a network in an ONNX file
export         a trained network as an ONNX file
"""
