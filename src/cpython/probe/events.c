/* Events into a mapped file, and snapshots.
 *
 * File: eight words of header (0: magic, 1: bytes of events so far, 2: why it gave up, 3: the probe's version of the
 * layout, 4: a batch is running), then events of two words each. The file is shared with the parent, which reads it
 * after a death. */
#include "probe.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAGIC 0x72656e6f726f63u
#define HEADER 64

static volatile uint64_t *header;
static uint64_t *at, *first, *limit;

int events_open(const char *path, size_t bytes) {
    int fd = open(path, O_RDWR);
    void *map;
    if (fd < 0) return -1;
    map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (map == MAP_FAILED) return -1;
    header = map;
    first = (uint64_t *)((char *)map + HEADER);
    limit = (uint64_t *)((char *)map + bytes) - 64;
    header[0] = MAGIC;
    header[3] = 1;
    events_rewind();
    return 0;
}

void events_rewind(void) {
    at = first;
    header[1] = 0;
    header[2] = 0;
}

void events_set_busy(int on) { header[4] = (uint64_t)on; }
int events_busy(void) { return (int)header[4]; }
int events_gave_up(void) { return (int)header[2]; }
size_t events_used(void) { return (size_t)((char *)at - (char *)first); }
void events_give_up(int why) {
    if (!header[2]) header[2] = (uint64_t)why;
    P.silent = 1;
}

static void write_words(uint64_t w0, uint64_t w1) {
    at[0] = w0;
    at[1] = w1;
    at += 2;
    header[1] = (uint64_t)((char *)at - (char *)first);
}

void emit(uint32_t tag, uint32_t small, uint32_t a, uint64_t b) {
    if (P.silent) return;
    if (at >= limit) {
        events_give_up(GAVE_UP_EVENTS);
        return;
    }
    write_words((uint64_t)tag | (uint64_t)small << 8 | (uint64_t)a << 32, b);
}

uint64_t *events_position(void) { return at; }

/* Forgets the events since then. */
void events_take_back(uint64_t *start) {
    if (P.silent) return;
    at = start;
    header[1] = (uint64_t)((char *)at - (char *)first);
}

void events_correct_generation(uint64_t *start, uint32_t generation) {
    if (!P.silent) *start = (*start & ~(uint64_t)0xff00) | (uint64_t)generation << 8;
}

/* Marks have room of their own behind the limit. */
void emit_mark(uint32_t tag, uint32_t small, uint32_t a, uint64_t b) {
    write_words((uint64_t)tag | (uint64_t)small << 8 | (uint64_t)a << 32, b);
}

static void state(uint32_t id, PyObject *o, int spot) {
    entry_of(id)->mark = P.mark;
    emit(EV_STATE, (uint32_t)spot | (uint32_t)gc_finalized(o) << 8, id, (uint32_t)Py_REFCNT(o) - function_extra(o) - library_extra(o));
}

static void weak(uint32_t id) {
    Entry *e = entry_of(id);
    PyWeakReference *w = (PyWeakReference *)e->object;
    e->mark = P.mark;
    emit(EV_WEAK, w->wr_callback != NULL, id, w->wr_object == Py_None ? 0 : e->referent);
}

void snapshot(void) {
    uint32_t id;
    int list;
    Py_ssize_t i;
    if (P.silent) return;
    library_tell_deleted(1);
    emit(EV_SNAPSHOT, 0, 0, 0);
    P.mark++;
    for (list = 0; list < gc_lists(); list++) {
        PyObject *o;
        for (o = gc_first(list); o; o = gc_after(list, o))
            if ((id = id_of(o))) state(id, o, list);
    }
    /* Without lists: every tracked object counts as one of generation 0, in order of creation. */
    for (id = 1; P.lists_not_found && id <= P.n_entries; id++) {
        PyObject *o = entry_of(id)->object;
        if (o && gc_tracked(o)) state(id, o, SPOT_GEN0);
    }
    for (id = 1; id <= P.n_entries; id++) {
        PyObject *o = entry_of(id)->object;
        if (!o || entry_of(id)->mark == P.mark) continue;
        state(id, o, !gc_has_header(o) ? SPOT_NO_HEADER : gc_tracked(o) ? SPOT_COLLECTING : SPOT_UNTRACKED);
    }
    P.mark++;
    for (id = 1; id <= P.n_entries; id++) {
        PyWeakReference *w;
        if (!entry_of(id)->object) continue;
        for (w = weak_list(entry_of(id)->object); w; w = w->wr_next) {
            uint32_t wid = id_of((PyObject *)w);
            if (wid) weak(wid);
        }
    }
    for (id = 1; id <= P.n_entries; id++)
        if (entry_of(id)->object && is_weak_shape(entry_of(id)->kind->shape) && entry_of(id)->mark != P.mark) weak(id);
    for (i = 0; P.garbage && i < PyList_GET_SIZE(P.garbage); i++)
        if ((id = id_of(PyList_GET_ITEM(P.garbage, i)))) emit(EV_GARBAGE, 0, id, 0);
}
