// What the kernels are written in: number types, the tensor cores' product, and how one kernel overlaps the next. Everything that is a device's own
// instruction is here. The model's sizes come as definitions: HIDDEN, HEADS, KV_HEADS, HEAD_DIM, INNER, LOGITS, PAGE (positions in a block of the
// KV cache), BF16 (1: weights, activations between kernels and the KV cache are bfloat16, 0: 32-bit floats).

#ifndef INFINITY
#define INFINITY __int_as_float(0x7f800000)
#endif

typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#if BF16
typedef u16 element; // a bfloat16's bits
#else
typedef float element;
#endif

__device__ __forceinline__ float widen(float x) { return x; }
__device__ __forceinline__ float widen(u16 x) { return __uint_as_float((u32)x << 16); }

// The lower and the upper of two bfloat16 numbers in a word.
__device__ __forceinline__ float lower(u32 pair) { return __uint_as_float(pair << 16); }
__device__ __forceinline__ float upper(u32 pair) { return __uint_as_float(pair & 0xffff0000u); }

// Rounds to nearest, ties to even.
__device__ __forceinline__ u16 to_bf16(float x)
{
    u32 bits = __float_as_uint(x);
    if ((bits & 0x7fffffffu) > 0x7f800000u)
        return 0x7fff; // not a number stays that
    return (u16)((bits + 0x7fffu + ((bits >> 16) & 1)) >> 16);
}

#if BF16
__device__ __forceinline__ element narrow(float x) { return to_bf16(x); }
#else
__device__ __forceinline__ element narrow(float x) { return x; }
#endif

// Two numbers as bfloat16 in a word, the first in its lower half.
__device__ __forceinline__ u32 narrow_pair(float first, float second)
{
    u32 pair;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(second), "f"(first));
    return pair;
}

// 2^x in one instruction: within 2 units of the last place, and 0 for what is below the normal numbers.
__device__ __forceinline__ float power_of_two(float x)
{
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

// d[16 x 8] += a[16 x 16] b[16 x 8] in bfloat16 with 32-bit sums. With g = lane / 4 and t = lane % 4 a lane holds
// a: rows g and g + 8 at 2t, 2t + 1, then both at 2t + 8, 2t + 9; b: column g at the same; d: row g at columns 2t, 2t + 1, then row g + 8.
__device__ __forceinline__ void multiply_add(float (&d)[4], u32 a0, u32 a1, u32 a2, u32 a3, u32 b0, u32 b1)
{
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]) : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
}

// Loads that stay where they are written, so that many are under way at once, and before the wait below. The compiler moves plain loads down to their
// use, across everything; a relaxed one it leaves alone. They pass by the first-level cache, as what is read once in a step may.
__device__ __forceinline__ uint4 load_here(const uint4* address)
{
    uint4 v;
    asm volatile("ld.relaxed.gpu.global.L1::no_allocate.v4.u32 {%0, %1, %2, %3}, [%4];" : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w) : "l"(address));
    return v;
}

__device__ __forceinline__ float4 load_here(const float4* address)
{
    float4 v;
    asm volatile("ld.relaxed.gpu.global.L1::no_allocate.v4.f32 {%0, %1, %2, %3}, [%4];" : "=f"(v.x), "=f"(v.y), "=f"(v.z), "=f"(v.w) : "l"(address));
    return v;
}

__device__ __forceinline__ float2 load_here(const float2* address)
{
    float2 v;
    asm volatile("ld.relaxed.gpu.global.L1::no_allocate.v2.f32 {%0, %1}, [%2];" : "=f"(v.x), "=f"(v.y) : "l"(address));
    return v;
}

#if __CUDA_ARCH__ >= 900
// Which of its cluster's blocks this is.
__device__ __forceinline__ u32 cluster_rank()
{
    u32 rank;
    asm("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
    return rank;
}

// __syncthreads for all blocks of a cluster, in two halves: what was written before the first is seen after the second.
__device__ __forceinline__ void cluster_arrive()
{
    asm volatile("barrier.cluster.arrive.aligned;" ::: "memory");
}

__device__ __forceinline__ void cluster_wait()
{
    asm volatile("barrier.cluster.wait.aligned;" ::: "memory");
}

__device__ __forceinline__ void cluster_sync()
{
    cluster_arrive();
    cluster_wait();
}

// What lies in another block's shared memory where `own` points to in this one's.
__device__ __forceinline__ float2 load_remote(const float2* own, u32 rank)
{
    u32 address;
    float2 v;
    asm volatile("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(address) : "r"((u32)__cvta_generic_to_shared(own)), "r"(rank));
    asm volatile("ld.shared::cluster.v2.f32 {%0, %1}, [%2];" : "=f"(v.x), "=f"(v.y) : "r"(address) : "memory");
    return v;
}
#endif

// Brings what a kernel to come reads into the second-level cache: a multiple of 16 bytes.
__device__ __forceinline__ void bring_ahead(const void* address, u32 bytes)
{
#if __CUDA_ARCH__ >= 900 && __CUDACC_VER_MAJOR__ >= 12
    asm volatile("cp.async.bulk.prefetch.L2.global [%0], %1;" :: "l"(address), "r"(bytes) : "memory");
#endif
}

// The same by all blocks, each its share: memory does not rest while kernels wait for each other.
__device__ __forceinline__ void bring_near(const void* address, u32 bytes)
{
    const u32 share = (bytes / gridDim.x + 127) / 128 * 128, first = share * blockIdx.x;
    if (threadIdx.x == 0 && blockIdx.y == 0 && first < bytes)
        bring_ahead((const char*)address + first, min(share, bytes - first));
}

// Lets the next kernel of the stream start now; what it does before its own wait then overlaps with this one.
__device__ __forceinline__ void release_next()
{
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}

// Waits until the kernels before this one are done and what they wrote is seen. Every kernel calls it before it reads or writes what others do.
__device__ __forceinline__ void wait_for_previous()
{
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}
