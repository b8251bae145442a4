// A product of few rows by groups of 4 warps, which multiply what lies in shared memory (tiles.cuh).

#if BF16 && HEAD_DIM == 64 && HAS_GROUPS

// The lower word of what describes a tile (describe_tile); the upper one is the same of all.
constexpr u32 TILE_UPPER = 1024 >> 4 | 1u << 30;
__device__ __forceinline__ u32 tile_word(const void* tile) { return (shared_address(tile) >> 4 & 0x3fff) | 1u << 16; }

// d[64, 8 N] = a[64, 16] b[8 N, 16] (+ d) of tiles of rows, of which each warp has 16 rows as at multiply_add. There after the wait.
template <int N>
__device__ __forceinline__ void multiply_rows(float (&d)[N][4], u32 a, u32 b, bool adds);

template <>
__device__ __forceinline__ void multiply_rows<4>(float (&d)[4][4], u32 a, u32 b, bool adds)
{
    asm volatile("{\n.reg .pred p;\n.reg .b64 a, b;\nsetp.ne.b32 p, %19, 0;\nmov.b64 a, {%16, %18};\nmov.b64 b, {%17, %18};\n"
        "wgmma.mma_async.sync.aligned.m64n32k16.f32.bf16.bf16 {"
        "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15}, a, b, p, 1, 1, 0, 0;\n}"
        : "+f"(d[0][0]), "+f"(d[0][1]), "+f"(d[0][2]), "+f"(d[0][3]), "+f"(d[1][0]), "+f"(d[1][1]), "+f"(d[1][2]), "+f"(d[1][3]),
        "+f"(d[2][0]), "+f"(d[2][1]), "+f"(d[2][2]), "+f"(d[2][3]), "+f"(d[3][0]), "+f"(d[3][1]), "+f"(d[3][2]), "+f"(d[3][3])
        : "r"(a), "r"(b), "n"(TILE_UPPER), "r"((int)adds));
}

template <>
__device__ __forceinline__ void multiply_rows<8>(float (&d)[8][4], u32 a, u32 b, bool adds)
{
    asm volatile("{\n.reg .pred p;\n.reg .b64 a, b;\nsetp.ne.b32 p, %35, 0;\nmov.b64 a, {%32, %34};\nmov.b64 b, {%33, %34};\n"
        "wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {"
        "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
        "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31}, a, b, p, 1, 1, 0, 0;\n}"
        : "+f"(d[0][0]), "+f"(d[0][1]), "+f"(d[0][2]), "+f"(d[0][3]), "+f"(d[1][0]), "+f"(d[1][1]), "+f"(d[1][2]), "+f"(d[1][3]),
        "+f"(d[2][0]), "+f"(d[2][1]), "+f"(d[2][2]), "+f"(d[2][3]), "+f"(d[3][0]), "+f"(d[3][1]), "+f"(d[3][2]), "+f"(d[3][3]),
        "+f"(d[4][0]), "+f"(d[4][1]), "+f"(d[4][2]), "+f"(d[4][3]), "+f"(d[5][0]), "+f"(d[5][1]), "+f"(d[5][2]), "+f"(d[5][3]),
        "+f"(d[6][0]), "+f"(d[6][1]), "+f"(d[6][2]), "+f"(d[6][3]), "+f"(d[7][0]), "+f"(d[7][1]), "+f"(d[7][2]), "+f"(d[7][3])
        : "r"(a), "r"(b), "n"(TILE_UPPER), "r"((int)adds));
}

template <>
__device__ __forceinline__ void multiply_rows<12>(float (&d)[12][4], u32 a, u32 b, bool adds)
{
    asm volatile("{\n.reg .pred p;\n.reg .b64 a, b;\nsetp.ne.b32 p, %51, 0;\nmov.b64 a, {%48, %50};\nmov.b64 b, {%49, %50};\n"
        "wgmma.mma_async.sync.aligned.m64n96k16.f32.bf16.bf16 {"
        "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
        "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
        "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47}, a, b, p, 1, 1, 0, 0;\n}"
        : "+f"(d[0][0]), "+f"(d[0][1]), "+f"(d[0][2]), "+f"(d[0][3]), "+f"(d[1][0]), "+f"(d[1][1]), "+f"(d[1][2]), "+f"(d[1][3]),
        "+f"(d[2][0]), "+f"(d[2][1]), "+f"(d[2][2]), "+f"(d[2][3]), "+f"(d[3][0]), "+f"(d[3][1]), "+f"(d[3][2]), "+f"(d[3][3]),
        "+f"(d[4][0]), "+f"(d[4][1]), "+f"(d[4][2]), "+f"(d[4][3]), "+f"(d[5][0]), "+f"(d[5][1]), "+f"(d[5][2]), "+f"(d[5][3]),
        "+f"(d[6][0]), "+f"(d[6][1]), "+f"(d[6][2]), "+f"(d[6][3]), "+f"(d[7][0]), "+f"(d[7][1]), "+f"(d[7][2]), "+f"(d[7][3]),
        "+f"(d[8][0]), "+f"(d[8][1]), "+f"(d[8][2]), "+f"(d[8][3]), "+f"(d[9][0]), "+f"(d[9][1]), "+f"(d[9][2]), "+f"(d[9][3]),
        "+f"(d[10][0]), "+f"(d[10][1]), "+f"(d[10][2]), "+f"(d[10][3]), "+f"(d[11][0]), "+f"(d[11][1]), "+f"(d[11][2]), "+f"(d[11][3])
        : "r"(a), "r"(b), "n"(TILE_UPPER), "r"((int)adds));
}

// A block's product of up to 64 rows for each of its GROUPS of 4 warps. Behind those come the helpers: the first one's first thread fetches. Shared
// memory from a multiple of 1,024 bytes on: the rows' ring, the weights' ring; at the end the sums [ROWS, PITCH]. A stage is STAGE_TILES tiles of 64
// inputs. What lies where rows are not there gives sums that nobody reads.
template <int INPUTS, int OUTPUTS_, int GROUPS, int HELPERS_, int ROW_STAGES_, int WEIGHT_STAGES_>
struct TiledRows
{
    static constexpr int OUTPUTS = OUTPUTS_, HELPERS = HELPERS_, ROWS = 64 * GROUPS, HELPER = 128 * GROUPS, THREADS = HELPER + HELPERS;
    static constexpr int PITCH = OUTPUTS + 4;
    static constexpr int STAGE_TILES = 2, STAGES = INPUTS / 64 / STAGE_TILES, WEIGHT_BYTES = OUTPUTS * 128; // of a tile
    static constexpr int ROW_STAGES = ROW_STAGES_ < STAGES ? ROW_STAGES_ : STAGES;
    static constexpr int WEIGHT_STAGES = WEIGHT_STAGES_ < STAGES ? WEIGHT_STAGES_ : STAGES;
    static constexpr int REFILLS = STAGES - (ROW_STAGES < WEIGHT_STAGES ? ROW_STAGES : WEIGHT_STAGES); // stages whose end is waited for

    // Each is used once. full: a stage's rows and weights are there; read: it has been multiplied.
    struct Barriers
    {
        u64 full[STAGES];
        u64 read[REFILLS > 0 ? REFILLS : 1];
    };

    const TensorMap& x;
    const TensorMap& weight;
    Barriers& barriers;
    char* tiles;
    int rows, first, output; // rows of a box, the block's first row and output

    __device__ __forceinline__ TiledRows(const TensorMap& x, const TensorMap& weight, Barriers& barriers, uint4* shared, int rows, int first,
        int output)
        : x(x), weight(weight), barriers(barriers), tiles((char*)(shared + (0u - shared_address(shared)) % 1024 / 16)), rows(rows), first(first),
        output(output)
    {
    }

    __device__ __forceinline__ int row_bytes() const { return (rows + 7) / 8 * 1024; } // of a tile
    __device__ __forceinline__ char* weights() const { return tiles + ROW_STAGES * STAGE_TILES * row_bytes(); }

    // Begins the barriers, then the weights: before the wait for the kernel before.
    __device__ __forceinline__ void begin() const
    {
        if (threadIdx.x < STAGES)
            begin_barrier(&barriers.full[threadIdx.x], 2);
        else if (threadIdx.x < STAGES + REFILLS)
            begin_barrier(&barriers.read[threadIdx.x - STAGES], 4 * GROUPS);
        show_to_copies();
        __syncthreads();
        if (threadIdx.x != HELPER)
            return;
        bring_near(x);
#pragma unroll 1
        for (int stage = 0; stage < WEIGHT_STAGES; stage++)
            fetch_weights(stage);
#pragma unroll 1
        for (int tile = WEIGHT_STAGES * STAGE_TILES; tile < STAGES * STAGE_TILES; tile++)
            bring_box_near(weight, tile * 64, output);
    }

    __device__ __forceinline__ void fetch_weights(int stage) const
    {
        u64* const barrier = &barriers.full[stage];
        arrive_and_expect(barrier, STAGE_TILES * WEIGHT_BYTES);
#pragma unroll
        for (int i = 0; i < STAGE_TILES; i++)
            copy_box(weights() + (stage % WEIGHT_STAGES * STAGE_TILES + i) * WEIGHT_BYTES, weight, (stage * STAGE_TILES + i) * 64, output, barrier);
    }

    __device__ __forceinline__ void fetch_rows(int stage) const
    {
        u64* const barrier = &barriers.full[stage];
        arrive_and_expect(barrier, STAGE_TILES * rows * 128);
#pragma unroll
        for (int i = 0; i < STAGE_TILES; i++)
            copy_box(tiles + (stage % ROW_STAGES * STAGE_TILES + i) * row_bytes(), x, (stage * STAGE_TILES + i) * 64, first, barrier);
    }

    // The rows, and the weights that have had no room: one thread, after the wait.
    __device__ __forceinline__ void fetch() const
    {
#pragma unroll 1
        for (int stage = 0; stage < ROW_STAGES; stage++)
            fetch_rows(stage);
#pragma unroll 1
        for (int done = 0; done < REFILLS; done++)
        {
            wait_barrier(&barriers.read[done], 0);
            if (done + ROW_STAGES < STAGES)
                fetch_rows(done + ROW_STAGES);
            if (done + WEIGHT_STAGES < STAGES)
                fetch_weights(done + WEIGHT_STAGES);
        }
    }

    // The groups that multiply.
    __device__ __forceinline__ void multiply(float (&sums)[OUTPUTS / 8][4]) const
    {
        const int group = GROUPS > 1 ? group_of_warps() : 0;
        const u32 row_words = tile_word(tiles) + group * (64 * 128 >> 4), weight_words = tile_word(weights()), row_tile = row_bytes() >> 4;
        int row_stage = 0, weight_stage = 0;
#pragma unroll 1
        for (int stage = 0; stage < STAGES; stage++)
        {
            wait_barrier(&barriers.full[stage], 0);
            const u32 a = row_words + row_stage * (STAGE_TILES * row_tile), b = weight_words + weight_stage * (STAGE_TILES * WEIGHT_BYTES >> 4);
            row_stage = row_stage + 1 == ROW_STAGES ? 0 : row_stage + 1;
            weight_stage = weight_stage + 1 == WEIGHT_STAGES ? 0 : weight_stage + 1;
            begin_products();
#pragma unroll
            for (int k = 0; k < 4 * STAGE_TILES; k++) // 32 bytes on
                multiply_rows<OUTPUTS / 8>(sums, a + k / 4 * row_tile + 2 * (k % 4), b + (k / 4 * (WEIGHT_BYTES >> 4) + 2 * (k % 4)),
                    k > 0 || stage > 0);
            commit_products();
            if (REFILLS == 0)
                continue;
            wait_products<1>();
            hold(sums);
            if (stage > 0 && stage - 1 < REFILLS && threadIdx.x % 32 == 0)
                arrive(&barriers.read[stage - 1]);
        }
        wait_products<0>();
        hold(sums);
    }

    // Registers of products under way are not moved across this.
    static __device__ __forceinline__ void hold(float (&sums)[OUTPUTS / 8][4])
    {
#pragma unroll
        for (int i = 0; i < OUTPUTS / 2; i++)
            asm volatile("" : "+f"(sums[i / 4][i % 4]) :: "memory");
    }

    // All threads, when nobody reads tiles any more.
    __device__ __forceinline__ void share(const float (&sums)[OUTPUTS / 8][4]) const
    {
        __syncthreads();
        if (threadIdx.x < HELPER)
        {
            const int lane = threadIdx.x % 32;
            float* const own = (float*)tiles + (threadIdx.x / 32 * 16 + lane / 4) * PITCH + lane % 4 * 2;
#pragma unroll
            for (int n = 0; n < OUTPUTS / 8; n++)
            {
                *(float2*)(own + n * 8) = make_float2(sums[n][0], sums[n][1]);
                *(float2*)(own + 8 * PITCH + n * 8) = make_float2(sums[n][2], sums[n][3]);
            }
        }
        __syncthreads();
    }

    __device__ __forceinline__ float4 sum(int row, int within) const { return *(const float4*)((const float*)tiles + row * PITCH + within); }
};

#endif
