-- expand: the index before it, which says nothing that the new one does not.
DROP INDEX staff_joined;
