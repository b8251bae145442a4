// Tiles of matrices that come into shared memory by themselves (tensor memory accelerator), and the barriers that tell when they are there.

#if HAS_GROUPS

// What cuTensorMapEncodeTiled has made of a matrix of bfloat16 numbers: boxes of it, 64 columns wide, become tiles (tiles.cuh).
struct __align__(64) TensorMap { u64 words[16]; };

__device__ __forceinline__ u32 shared_address(const void* p) { return (u32)__cvta_generic_to_shared(p); }

// Before anybody waits for it: so many arrivals, and all bytes that are expected by then.
__device__ __forceinline__ void begin_barrier(u64* barrier, u32 arrivals)
{
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" :: "r"(shared_address(barrier)), "r"(arrivals) : "memory");
}

// Behind barriers that were begun and numbers that were written where tiles or products read, before the block's next barrier.
__device__ __forceinline__ void show_to_copies()
{
    asm volatile("fence.mbarrier_init.release.cluster;\nfence.proxy.async.shared::cta;" ::: "memory");
}

__device__ __forceinline__ void arrive(u64* barrier)
{
    asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" :: "r"(shared_address(barrier)) : "memory");
}

__device__ __forceinline__ void arrive_and_expect(u64* barrier, u32 bytes)
{
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" :: "r"(shared_address(barrier)), "r"(bytes) : "memory");
}

__device__ __forceinline__ void wait_barrier(u64* barrier, u32 parity)
{
    asm volatile("{\n.reg .pred p;\nAGAIN: mbarrier.try_wait.parity.shared::cta.b64 p, [%0], %1;\n@p bra DONE;\nbra AGAIN;\nDONE:\n}"
        :: "r"(shared_address(barrier)), "r"(parity) : "memory");
}

// One thread: a box of the matrix on its way; the barrier expects its bytes. What is beyond the matrix is zeros.
__device__ __forceinline__ void copy_box(void* tile, const TensorMap& map, int column, int row, u64* barrier)
{
    asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%2, %3}], [%4];"
        :: "r"(shared_address(tile)), "l"(&map), "r"(column), "r"(row), "r"(shared_address(barrier)) : "memory");
}

// The same into the second-level cache.
__device__ __forceinline__ void bring_box_near(const TensorMap& map, int column, int row)
{
    asm volatile("cp.async.bulk.prefetch.tensor.2d.L2.global.tile [%0, {%1, %2}];" :: "l"(&map), "r"(column), "r"(row) : "memory");
}

// The map itself, where it is first asked for after a wait.
__device__ __forceinline__ void bring_near(const TensorMap& map) { asm volatile("prefetch.tensormap [%0];" :: "l"(&map) : "memory"); }

#endif
