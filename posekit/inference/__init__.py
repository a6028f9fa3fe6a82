"""From images and videos to joints, with a trained network.

predictor      an image and where its person is, to 16 joints
many           folders of photographs, and videos
video          video files and cameras, and where the person is in the next frame
joint_file     joints as CSV or JSON
drawing        skeletons and heatmaps drawn into images
onnx_network   a network in an ONNX file
export         a trained network as an ONNX file
"""
