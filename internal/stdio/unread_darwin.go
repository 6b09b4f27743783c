package stdio

// unread asks a pipe how much is in it: FIONREAD of <sys/filio.h>.
const unread = 0x4004667f
