/* Where an object has the addresses of others: in its own memory, with marks in the low bits, or in a block that it leads to.
 *
 * A place only explains: that a reference is owned is shown by counting. So it does no harm that a block is read beyond its
 * end, or that an address which is found there is an old one. */
#include "audit.h"
#include <sys/uio.h>
#include <unistd.h>

#define MOST 2000
static Place places[MOST];
static int n_places;

/* Bytes of this process, wherever they may be; how many words could be read. */
static size_t peek(const void *from, uintptr_t *to, size_t words) {
    struct iovec here = {to, words * 8}, there = {(void *)from, words * 8};
    ssize_t got;
    if ((uintptr_t)from < 4096 || (uintptr_t)from & 7) return 0;
    got = process_vm_readv(getpid(), &here, 1, &there, 1, 0);
    return got > 0 ? (size_t)got / 8 : 0;
}

static int note(uintptr_t word, int kind, int32_t offset) {
    int32_t object = find_object((void *)(word & ~(uintptr_t)7));
    if (object < 0) return 0;
    if (n_places < MOST) {
        places[n_places].object = object;
        places[n_places].kind = kind == PLACE_OWN && word & 7 ? PLACE_TAGGED : kind;
        places[n_places++].offset = offset;
    }
    return 1;
}

static void look_in_block(uintptr_t address, int32_t offset, int depth) {
    uintptr_t block[64];
    size_t i, words = peek((void *)(address & ~(uintptr_t)7), block, depth ? 64 : 32);
    for (i = 0; i < words; i++)
        if (!note(block[i], PLACE_HEAP, offset) && depth) look_in_block(block[i], offset, depth - 1);
}

void find_places(PyObject *x) {
    PyTypeObject *type = Py_TYPE(x);
    static uintptr_t own[4096];
    size_t size = (size_t)type->tp_basicsize, words, i;
    n_places = 0;
    if (type->tp_itemsize > 0 && !PyLong_Check(x)) {
        Py_ssize_t items = Py_SIZE(x);
        size += (size_t)(items < 0 ? -items : items) * (size_t)type->tp_itemsize;
    }
    words = peek(x, own, size / 8 < 4096 ? size / 8 : 4096);
    for (i = sizeof(PyObject) / 8; i < words; i++)
        if (!note(own[i], PLACE_OWN, (int32_t)(i * 8))) look_in_block(own[i], (int32_t)(i * 8), 1);
}

/* The nearest. */
const Place *place_of(int32_t object) {
    const Place *best = NULL;
    int i;
    for (i = 0; i < n_places; i++)
        if (places[i].object == object && (!best || places[i].kind < best->kind)) best = &places[i];
    return best;
}
