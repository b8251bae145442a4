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
