/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of a morph share. docs/kmp.md, "Morph", has the protocol. */
#ifndef KMORPH_AGENT_MORPH_H
#define KMORPH_AGENT_MORPH_H

#include "../../libkmorph/kmorph.h"
#include "../../libkmorph/link.h"
#include "agent.h"
#include "sha256.h"

#define PAGE 4096ull

/* Numbers of regions: those of memory are the workload's own, from 0. */
#define REGION_FILES 0x100u
#define REGION_SOCKETS 0x101u
#define REGION_OPAQUE 0x102u
#define MAX_STATE_REGIONS (KMORPH_MAX_REGIONS + 3)

/* What files, sockets and blob of a workload may hold together with their contents. */
#define MAX_BLOB (64ull << 20)

/* Sockets and files of a workload. */
#define MAX_CARRIED 8192u

/* digest.c */
struct digest {
	uint16_t algorithm; /* enum kmp_digest_algorithm */
	union {
		struct sha256 sha;
		struct {
			uint64_t length, v[4];
			uint8_t block[32];
		} xxh;
	};
};
void digest_begin(struct digest *digest, uint16_t algorithm);
void digest_add(struct digest *digest, const void *bytes, size_t length);
/* Returns the length of the result. */
size_t digest_end(struct digest *digest, uint8_t result[KMP_MAX_DIGEST_BYTES]);
uint64_t xxh64(const void *bytes, size_t length, uint64_t seed);

/* Part of a region that is to be sent: [from, to). */
struct range {
	uint64_t from, to;
};

struct region {
	uint32_t id;
	uint16_t kind;
	char name[64];
	uint64_t size; /* memory: of it; else of what it holds now */
	int fd;	       /* memory: its memfd; else -1 */
	uint8_t *blob; /* what others hold, malloc */
	/* source: what this round sends */
	struct range *ranges;
	size_t range_count, range_room, range_at;
	uint64_t (*hashes)[2]; /* of each page as last sent, where nothing else tells writes */
	/* both: of this round */
	struct digest digest;
	uint8_t last_digest[KMP_MAX_DIGEST_BYTES];
	size_t last_digest_length;
	uint64_t covered; /* by the chunks of this round so far */
	uint32_t round;	  /* target: of the last END */
	bool ended, final;
};
extern struct region regions[MAX_STATE_REGIONS];
extern size_t region_count;
struct region *region_find(uint32_t id);
/* NULL when there are too many. */
struct region *region_add(uint32_t id, uint16_t kind, const char *name, uint64_t size, int fd);
void regions_forget(void);
/* Begins a round's digest with the last one's. */
void region_begin_round(struct region *region, uint16_t algorithm);
void region_end_round(struct region *region);

/* link.c: the workload's end of libkmorph. */
struct carried {
	uint64_t tag;
	int fd;
	bool socket;
	/* sockets.c's: drops what comes; is in repair mode; the workload has not accepted it; what
	 * was expected next when it was saved */
	bool held, repaired, pending;
	bool shared;			/* its port can be listened at by another */
	bool reuse_address, reuse_port; /* as the workload set them */
	/* known since it was held, or was described */
	bool listening;
	uint32_t local_address;
	uint16_t local_port; /* as on the wire */
	uint32_t receive_seq;
};
struct link {
	struct watch watch;
	pid_t pid;   /* as the workload says; 0: has not said hello */
	int pagemap; /* of its memory; -1: cannot be read */
	bool tracks, ready, successor;
	bool follows; /* it wants to hear what becomes of other instances */
	uint8_t *blob;
	struct carried *carried;
	size_t carried_count, carried_room;
};
extern struct link workload_link;
/* Returns the workload's end, or -1; closes what there was. */
int link_open(bool successor);
void link_close(void);
/* Notes a copy of a descriptor as one that is to move; NULL when there are too many. */
struct carried *link_carry(uint64_t tag, int fd, bool socket);
bool link_say(uint32_t type, uint64_t size);
/* Hears what the workload has said so far. */
void link_hear(void);
/* Says what can be said later too: false when there is no room for it now. */
bool link_offer(const struct kmorph_message *message);
/* Gives descriptors with their tags, as many messages as it takes. */
bool link_adopt(uint32_t type, const uint64_t *tags, const int *fds, size_t count);

/* memory.c: which pages are to be sent. */
enum tracker { TRACK_NONE, TRACK_UFFD, TRACK_SOFT_DIRTY, TRACK_HASH };
/* What this kernel can, as capabilities. */
uint64_t memory_capabilities(void);
/* Fills in the ranges of all regions of memory for a round; false with errno. */
bool memory_scan(uint32_t round, bool final);
void memory_forget(void);
/* Where hashes tell writes: these pages have been sent so. */
void memory_sent(struct region *region, uint64_t offset, const uint8_t *bytes, size_t length);
enum tracker memory_tracker(void);
bool is_zero(const uint8_t *bytes, size_t length);

/* blob.c: a growing piece of memory; a reader of one. */
struct blob {
	uint8_t *bytes;
	size_t length, room;
	bool failed;
};
void blob_add(struct blob *blob, const void *bytes, size_t length);
/* Room for length bytes at the end. NULL when there is no memory. */
uint8_t *blob_grow(struct blob *blob, size_t length);
/* Behind the last byte. What holds nothing may be NULL, to which nothing may be added. */
const uint8_t *blob_end(const uint8_t *bytes, size_t length);
bool blob_take(const uint8_t **at, const uint8_t *end, void *bytes, size_t length);

/* files.c */
/* The files that the workload gave; false with a reason. */
bool files_save(struct blob *blob, char *text, size_t most);
/* Opens them; with adopt gives them to the workload. False with a reason. */
bool files_restore(const uint8_t *bytes, size_t length, bool adopt, char *text, size_t most);

/* filter.c: what a socket takes in. */
/* From now on nothing that comes is taken in, and nothing is refused. */
bool filter_drop(int fd);
void filter_none(int fd);

/* sockets_save.c: the source's. */
bool sockets_capable(void);
/* Who listens and who is connected, without contents: the target makes ready for them. */
bool sockets_sketch(struct blob *blob, char *text, size_t most);
/* On a shared kernel others may bind its port while it has it; notes what the workload had set. */
void sockets_share_port(struct carried *carried);
/* From now on nothing that comes is taken in, nothing is refused. */
void sockets_hold(void);
/* The sockets with all that they hold, while held. */
bool sockets_save(struct blob *blob, char *text, size_t most);
/* The workload runs on here. */
void sockets_resume(void);
/* What was accepted for the workload is given to it. */
void sockets_return_accepted(void);
/* Nothing has come in since they were saved. */
bool sockets_are_as_saved(void);
/* They are no more, and nobody is told; what comes to their ports is dropped, should it be that the
 * target dies, until guards_close. */
void sockets_give_up(void);
/* guards.c: another answers at their ports. */
void guards_close(void);

/* sockets_stage.c: the target's, while the source still has them. */
/* Whether what the sketch says could be taken; makes what can be made so early. */
bool sockets_rehearse(const uint8_t *bytes, size_t length, char *text, size_t most);
/* The final state: makes all the rest that can be made while the source has them. */
bool sockets_prepare(const uint8_t *bytes, size_t length, char *text, size_t most);
void sockets_forget(void);

/* sockets_take.c: the target's, when the source has let go. */
/* They are ours, and take in nothing yet; one that cannot be is told of, and left out. What they
 * have missed so far is looked through. */
void sockets_take(void);
/* Gives them to what is to be the workload. */
bool sockets_adopt(void);
/* The connections go on with what had still to be sent. They take in nothing yet. */
void sockets_speak(void);
/* They take in what comes. */
void sockets_open(void);
/* Instead: they are no more, and nobody is told. What comes to their ports is dropped, and is kept
 * for those who have them next: until sockets_forget. */
void sockets_withdraw(void);
/* The state that they are made of is so old, and another kernel may have had them meanwhile. */
void sockets_were_kept(uint64_t for_ns);
/* What came meanwhile comes again. */
void sockets_replay(void);
/* Notes them as the workload's, to be carried further one day. */
void sockets_carry(void);

/* capture.c: packets that came while nobody could take them. */
#define MAX_PORTS 60

/* Sockets of one workload: each is looked for among those that are made already. */
#define MAX_SOCKETS 8192
/* What of a connection its state holds already: addresses and ports as on the wire. */
struct known_flow {
	uint32_t remote_address;
	uint16_t remote_port, local_port;
	uint32_t receive_seq, acknowledged;
};
bool capture_open(const uint16_t *ports, size_t count);
/* Looks through what was caught so far: what says nothing new to one of the flows, which are in the
 * order of capture_compare, is left out. */
void capture_sift(const struct known_flow *flows, size_t count);
/* Delivers the rest of what was caught since it was opened. */
void capture_replay(const struct known_flow *flows, size_t count);
int capture_compare(const void *one, const void *other);
void capture_close(void);

/* Between two pieces of a round. */
#define BULK_GAP (100 * MS)

/* flow.c: the source's rounds. */
void flow_pull(struct connection *connection, const struct kmp_header *header,
	       const struct kmp_morph_transfer *pull, const char *peer);
/* Whether rounds go to the target's agent directly, and it can be reached. */
bool flow_is_direct(void);
/* The final round, with the question behind it whether it is complete and true; false with why. */
bool flow_finish(char *text, size_t most);
/* Tells the target's agent that we have released; its answer says when it runs the workload. */
void flow_tell_released(void);
bool flow_is_peer(const struct connection *connection);
/* The connection to the target's agent is closed. */
void flow_forget_peer(void);
/* An answer to one of its chunks. */
void flow_answered(struct connection *connection, const struct frame *frame);
void flow_forget(void);
/* The state stays as it was frozen: it may be pulled again for another target. */
void flow_keep(void);
/* Whether all that is kept is as it was frozen. */
bool flow_keeps_all(void);
uint64_t flow_tick(void);

/* chunk.c: what a region sends next. */
#define CHUNK (256u << 10) /* quick, and a heartbeat behind it is too */
#define EXTENTS 1000u
struct chunk {
	struct kmp_extent extents[EXTENTS];
	uint32_t count, raw_length;
	uint64_t covers;
	uint8_t data[CHUNK];
};
/* Reads on in the region; false when nothing could be read. */
bool chunk_fill(struct chunk *chunk, struct region *region);
void chunk_digest(const struct chunk *chunk, struct digest *digest);
void chunk_clear(struct chunk *chunk);
/* Says an extent; its bytes, where it has some, stand at data + raw_length already. */
void chunk_add(struct chunk *chunk, uint64_t offset, uint64_t length, uint32_t flags);
/* The same of whole pages, those of zeros without their bytes. */
void chunk_add_pages(struct chunk *chunk, uint64_t offset, size_t length);
/* Bytes of pages that have room, and room for their extents. */
size_t chunk_page_room(const struct chunk *chunk);

/* compress.c */
/* The size of the frame; 0 when it would be no smaller than the bytes, or cannot be made. */
size_t compress_pack(const uint8_t *bytes, size_t length, uint8_t *packed, size_t room);
/* Whether it is one frame that expands to exactly that length; no more is ever written. */
bool compress_unpack(const uint8_t *packed, size_t size, uint8_t *bytes, size_t length);
void compress_forget(void);

/* intake.c: the target's. */
void intake_take(struct connection *connection, const struct frame *frame,
		 const struct kmp_morph_transfer *transfer);
/* Whether every region's final round is complete and true. */
bool intake_is_final(void);
void intake_forget(void);

/* A request whose answer waits for something. */
struct asked {
	uint64_t connection;
	struct kmp_header header;
	uint64_t until;
	bool there;
};
void asked_note(struct asked *asked, struct connection *connection, const struct kmp_header *header,
		uint64_t patience);

/* How long the steps of a freeze took, for the answer that ends it. */
#define MAX_STEPS 8
void steps_begin(void);
/* The one that ends now; what is named is kept as a pointer. */
void step_done(const char *name);

/* Room in the answers of NEGOTIATE, VALIDATE and COMMIT: a region each, and then some. */
#define MORPH_ANSWER (KMP_HEADER_LEN + 16384u)

/* morph.c */
struct morph {
	uint8_t operation[16];
	uint8_t role, state; /* role 0: there is none */
	bool cold;
	bool compressed; /* chunks may be: it was agreed */
	uint16_t digest;
	uint32_t peer; /* the instance at the other end */
	uint64_t since_ns;
};
extern struct morph morph;
void morph_become(uint8_t state);
/* Whether a state is one that a morph does not leave. */
bool morph_is_over(uint8_t state);
size_t morph_head(uint8_t *payload, uint8_t verdict);
/* Appends an item to such an answer. */
size_t morph_add(uint8_t *payload, size_t length, uint16_t type, const void *value, size_t size);
size_t morph_add_check(uint8_t *payload, size_t length, bool passed, uint32_t took_us,
		       const char *name, const char *found);
void morph_send_operation(struct connection *connection, const struct kmp_header *header,
			  uint8_t verdict);
/* With what the steps took when the state is one that ends a freeze. */
void morph_send_commit(struct connection *connection, const struct kmp_header *header);
void morph_wrong_state(struct connection *connection, const struct kmp_header *header,
		       const char *text);
void morph_answer(struct connection *connection, const struct frame *frame);
bool morph_operation(struct kmp_i_operation *item);
uint64_t morph_tick(void);
bool morph_busy(void);
uint64_t morph_capabilities(void);
/* From the link. */
void morph_heard(const struct kmorph_message *message);
void morph_link_lost(void);
/* The workload, or what was made ready to be it, has ended. */
void morph_workload_ended(void);
/* The instance at the other end has failed. */
void morph_peer_failed(uint32_t instance);

/* negotiate.c */
void negotiate_answer(struct connection *connection, const struct frame *frame);

/* validate.c: the target tries. */
void validate_answer(struct connection *connection, const struct frame *frame);
void validate_heard(const struct kmorph_message *message);
/* Something that a rehearsal waits for may be there, or be gone. */
void validate_look(void);
uint64_t validate_tick(void);
void validate_forget(void);
const struct region *region_of_kind(uint16_t kind);

/* freeze.c: the source lets go, or runs on. */
void freeze_quiesce(struct connection *connection, const struct frame *frame, uint32_t time_us,
		    bool hand_over);
void freeze_release(struct connection *connection, const struct frame *frame);
/* The final round is asked for; false when it must wait for the workload to rest, and is noted. */
bool freeze_may_pull(struct connection *connection, const struct kmp_header *header,
		     const struct kmp_morph_transfer *pull);
void freeze_heard(const struct kmorph_message *message);
/* The target runs the workload. */
void freeze_taken(struct connection *connection, const struct frame *frame);
/* The target's answer about the final round. */
void freeze_validated(struct connection *connection, const struct frame *frame);
/* What is under way cannot be finished, and why. */
void freeze_failed(const char *why);
/* Runs on, whatever was begun. */
void freeze_undo(void);
void freeze_forget(void);
uint64_t freeze_tick(void);
uint32_t freeze_lease_left_us(void);

/* survivor.c: another instance has failed. */
void survivor_answer(struct connection *connection, const struct frame *frame);
/* Whether this agent was told that the instance has failed. */
bool survivor_knows_failed(uint32_t instance);
/* The recovery that was heard of last; false when there was none. */
bool survivor_operation(struct kmp_i_operation *item);
/* The workload wants to be told, of all that is known too. */
void survivor_followed(void);
/* The workload is told what it could not be told so far. */
void survivor_tick(void);
/* As after a start. */
void survivor_forget(void);

/* share.c, share_asked.c: a part of the memory of an instance that is dead, read for the daemon. */
void share_answer(struct connection *connection, const struct frame *frame);
/* False when the answer is to nothing that was asked here. */
bool share_answered(struct connection *connection, const struct frame *frame);
uint64_t share_tick(void);
/* As after a start. */
void share_forget(void);

/* checks.c: programs of the workload that say whether it can run here. */
#define MAX_CHECKS 8
void checks_add(const char *path);
void checks_forget(void);
/* Those of a rehearsal before this one are killed. */
void checks_run(void);
bool checks_are_over(void);
/* What one came to; false when there are not so many. */
bool checks_found(size_t number, bool *passed, char *text, size_t most);

/* activate.c: the target takes over. */
void activate_take(struct connection *connection, const struct frame *frame);
void activate(struct connection *connection, const struct frame *frame);
void activate_begun(void);
void activate_lost(void);
void activate_forget(void);
/* The workload was told to run and has not begun to. */
bool activate_is_beginning(void);
/* Then it is never run here; one that has begun goes on. */
void activate_give_back(struct connection *connection, const struct frame *frame);

#endif
