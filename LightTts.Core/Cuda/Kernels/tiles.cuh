// What products of tiles are written in: copies into shared memory that are under way while others are computed with, and the matrices there.

// A load that stays where it is written, so that many are under way at once, which compilers do not leave plain ones; past the first-level cache, as
// this thread alone reads it.
__device__ __forceinline__ uint4 load_fresh(const void* address)
{
    uint4 v;
    asm volatile("ld.relaxed.gpu.global.L1::no_allocate.v4.u32 {%0, %1, %2, %3}, [%4];"
        : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w) : "l"(address) : "memory");
    return v;
}

// 16 bytes on their way from memory to shared memory, past the registers; there when the group of copies that they are committed with was waited for.
__device__ __forceinline__ void copy_async(void* shared, const void* global)
{
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" :: "r"((u32)__cvta_generic_to_shared(shared)), "l"(global) : "memory");
}

// The same, or zeros.
__device__ __forceinline__ void copy_async_or_zero(void* shared, const void* global, bool there)
{
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" :: "r"((u32)__cvta_generic_to_shared(shared)), "l"(global), "r"(there ? 16 : 0)
        : "memory");
}

__device__ __forceinline__ void commit_copies()
{
    asm volatile("cp.async.commit_group;" ::: "memory");
}

// Waits until all groups but the last PENDING ones of this thread are there.
template <int PENDING>
__device__ __forceinline__ void wait_copies()
{
    asm volatile("cp.async.wait_group %0;" :: "n"(PENDING) : "memory");
}

// Four matrices of 8 x 8 16-bit numbers from shared memory: lane l names row l % 8 of matrix l / 8, and gets of each row g its numbers 2t, 2t + 1.
__device__ __forceinline__ void load_matrices(u32 (&v)[4], const void* row)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
        : "=r"(v[0]), "=r"(v[1]), "=r"(v[2]), "=r"(v[3]) : "r"((u32)__cvta_generic_to_shared(row)) : "memory");
}

// The same of the matrices transposed: of column g its numbers 2t, 2t + 1.
__device__ __forceinline__ void load_matrices_transposed(u32 (&v)[4], const void* row)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
        : "=r"(v[0]), "=r"(v[1]), "=r"(v[2]), "=r"(v[3]) : "r"((u32)__cvta_generic_to_shared(row)) : "memory");
}

#ifdef __CUDA_ARCH_FEAT_SM90_ALL
#define HAS_GROUPS 1 // of 4 warps, which multiply together what lies in shared memory
#else
#define HAS_GROUPS 0
#endif

#if HAS_GROUPS
// Of this thread's group of 4 warps. The compiler learns that it is the same in a whole warp: what products are told of tiles then needs no vector
// registers, out of which it would be moved one by one.
__device__ __forceinline__ int group_of_warps() { return __shfl_sync(0xffffffffu, (int)threadIdx.x / 128, 0); }

// A tile of rows of 128 bytes, whose 16-byte pieces lie in the order part ^ (row & 7), from a multiple of 1024 bytes on: 8 rows are 1024 bytes
// further.
__device__ __forceinline__ u64 describe_tile(const void* tile)
{
    return (u64)((u32)__cvta_generic_to_shared(tile) >> 4 & 0x3fff) | 1ull << 16 | (u64)(1024 >> 4) << 32 | 1ull << 62;
}

// What this thread's copies have brought to shared memory is seen by the products that begin after the next barrier.
__device__ __forceinline__ void publish_tiles()
{
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}

// Before the first product of several: registers are as they stand here.
__device__ __forceinline__ void begin_products()
{
    asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}

// d[64 x 64] = a[64 x 16] b[16 x 64] (+ d where ADDS), of which each warp has 16 rows, as at multiply_add. b lies in a tile: of its rows (the
// outputs) 16 numbers side by side (the inputs), or, TRANSPOSED, 16 rows (the inputs) of 64 numbers. There after the wait.
template <bool TRANSPOSED, bool ADDS>
__device__ __forceinline__ void multiply_group(float (&d)[8][4], const u32 (&a)[4], u64 b)
{
    asm volatile("wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 "
        "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
        "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31}, {%32, %33, %34, %35}, %36, %37, 1, 1, %38;"
        : "+f"(d[0][0]), "+f"(d[0][1]), "+f"(d[0][2]), "+f"(d[0][3]), "+f"(d[1][0]), "+f"(d[1][1]), "+f"(d[1][2]), "+f"(d[1][3]),
        "+f"(d[2][0]), "+f"(d[2][1]), "+f"(d[2][2]), "+f"(d[2][3]), "+f"(d[3][0]), "+f"(d[3][1]), "+f"(d[3][2]), "+f"(d[3][3]),
        "+f"(d[4][0]), "+f"(d[4][1]), "+f"(d[4][2]), "+f"(d[4][3]), "+f"(d[5][0]), "+f"(d[5][1]), "+f"(d[5][2]), "+f"(d[5][3]),
        "+f"(d[6][0]), "+f"(d[6][1]), "+f"(d[6][2]), "+f"(d[6][3]), "+f"(d[7][0]), "+f"(d[7][1]), "+f"(d[7][2]), "+f"(d[7][3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "n"(ADDS ? 1 : 0), "n"(TRANSPOSED ? 1 : 0));
}

// Products so far are a group.
__device__ __forceinline__ void commit_products()
{
    asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}

// Waits for all groups but the last PENDING ones.
template <int PENDING>
__device__ __forceinline__ void wait_products()
{
    asm volatile("wgmma.wait_group.sync.aligned %0;" :: "n"(PENDING) : "memory");
}

// Waits for all of them; these are sums of one.
__device__ __forceinline__ void finish_products(float (&d)[8][4])
{
    wait_products<0>();
#pragma unroll
    for (int i = 0; i < 32; i++)
        asm volatile("" : "+f"(d[i / 4][i % 4]) :: "memory");
}
#endif
