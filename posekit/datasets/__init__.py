"""From files to one table of annotated people.

people         the table that every reader returns
sources        from what a person names to that table
mpii, lsp      readers of MPII and of Leeds Sports Pose
coco           the reader of COCO keypoint files, which annotation tools write
coco_images    where such a file's photographs lie
coco_write     writes such a file
exchanged      people whose right and left are exchanged in the annotation
file_kinds     what a file is that is not the picture that its name promises
mpii_release   MPII's official MATLAB file as rows
images         image files as arrays
download, unpack, check   fetch MPII, unpack archives safely, open every photograph once
drawn          people that posekit draws itself
"""
