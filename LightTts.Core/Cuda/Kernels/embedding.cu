// The inputs' rows of the embedding table, as the residual stream x [rows, HIDDEN], with what the first product asks for (see matrix.cuh).
// A block a row, a lane for two numbers. An input below zero is the complement of where a token lies that a step before drew; its row is that of the
// speech. One that could not be drawn is -1: its sequence is over, and any row will do.

extern "C" __global__ void embed(const int* inputs, const int* drawn, int speech, const float* table, const float* norm, float* x, element* normed,
    float* squares)
{
    release_next();
    wait_for_previous();
    const int row = blockIdx.x, at = 2 * threadIdx.x;
    int input = inputs[row];
    if (input < 0)
        input = speech + max(drawn[~input], 0);
    float square = 0;
    if (at < HIDDEN)
    {
        const float2 own = *(const float2*)(table + (size_t)input * HIDDEN + at);
        *(float2*)(x + (size_t)row * HIDDEN + at) = own;
        normed[(size_t)row * HIDDEN + at] = narrow(own.x * norm[at]);
        normed[(size_t)row * HIDDEN + at + 1] = narrow(own.y * norm[at + 1]);
        square = own.x * own.x + own.y * own.y;
    }
    square += __shfl_xor_sync(0xffffffffu, square, 1);
    square += __shfl_xor_sync(0xffffffffu, square, 2);
    if (at < HIDDEN && threadIdx.x % 4 == 0)
        squares[(size_t)row * (HIDDEN / 8) + at / 8] = square;
}
